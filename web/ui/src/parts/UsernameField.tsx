import { useEffect, useId, useRef, useState } from "react";
import type { UsernameCheck } from "../api";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";

/** Typing rests this long before the name is looked up: the relay limits questions. */
const REST = 350;

export type Availability = "unknown" | "checking" | UsernameCheck | Problem;

/** Looks a name up while it is typed. An answer that comes after the name changed is dropped. */
export function useAvailability(username: string): Availability {
  const client = useClient();
  const open = usePart((s) => s.line.state === "open");
  const [found, setFound] = useState<{ for: string; is: Availability }>({ for: "", is: "unknown" });
  useEffect(() => {
    if (username === "" || !open) return;
    let current = true;
    const timer = setTimeout(async () => {
      let is: Availability;
      try {
        is = await client.account.checkUsername(username);
      } catch (error) {
        is = explain(error);
      }
      if (current) setFound({ for: username, is });
    }, REST);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, username, open]);
  if (username === "") return "unknown";
  return found.for === username ? found.is : "checking";
}

interface Props {
  value: string;
  onChange: (value: string) => void;
  availability: Availability;
}

export function UsernameField({ value, onChange, availability }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const { tone, text } = verdict(availability);
  return (
    <div className="field">
      <label htmlFor={id}>Username</label>
      <input
        ref={input}
        id={id}
        className="text-input"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        aria-describedby={`${id}-verdict`}
        aria-invalid={tone === "bad"}
      />
      <p id={`${id}-verdict`} className={`field-note ${tone}`} aria-live="polite">
        {text}
      </p>
    </div>
  );
}

function verdict(is: Availability): { tone: "" | "good" | "bad"; text: string } {
  if (is === "unknown") return { tone: "", text: "2 to 32 characters. This is how others find you." };
  if (is === "checking") return { tone: "", text: "Checking…" };
  if ("available" in is) {
    return is.available
      ? { tone: "good", text: `“${is.username}” is free.` }
      : { tone: "bad", text: is.message };
  }
  return { tone: "bad", text: `${is.message} ${is.hint}` };
}
