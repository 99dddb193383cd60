import { useEffect, useId, useRef, useState } from "react";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";

const DIGITS = 6;

/** Six digits from the authenticator; submits itself at the sixth. After a refusal the field is empty and ready. */
export function CodeField({ label, submit }: { label: string; submit: (code: string) => Promise<void> }) {
  const [code, setCode] = useState("");
  const { busy, problem, submit: run } = useSubmit();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  useEffect(() => {
    if (!busy) input.current?.focus();
  }, [busy]);

  async function change(text: string) {
    const digits = text.replaceAll(/\D/g, "").slice(0, DIGITS);
    setCode(digits);
    if (digits.length < DIGITS || busy) return;
    if (!(await run(() => submit(digits)))) setCode("");
  }

  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        ref={input}
        id={id}
        className="code-input"
        value={code}
        onChange={(event) => void change(event.target.value)}
        disabled={busy}
        inputMode="numeric"
        autoComplete="one-time-code"
        spellCheck={false}
        placeholder="000000"
        aria-invalid={problem !== null}
        aria-describedby={`${id}-state`}
      />
      <div id={`${id}-state`}>
        {busy && <p className="field-note">Checking…</p>}
        {problem && <Complaint {...problem} />}
      </div>
    </div>
  );
}
