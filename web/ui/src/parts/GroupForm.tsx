import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Request } from "../api";
import { useClient } from "../state/hooks";
import { TITLE_BYTES, textBytes } from "../state/pending";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";
import { TooLong } from "./TooLong";

interface Props {
  label: string;
  action: string;
  initial?: string;
  /** Free text instead of a name. */
  free?: boolean;
  request: (text: string) => Request;
  back: () => void;
  children: ReactNode;
}

/** One line of text that changes a group. */
export function GroupForm({ label, action, initial = "", free = false, request, back, children }: Props) {
  const client = useClient();
  const [text, setText] = useState(initial);
  const { busy, problem, submit } = useSubmit();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const value = text.trim();
  const excess = free ? textBytes(value) - TITLE_BYTES : 0;
  const ready = value !== "" && value !== initial && excess <= 0;

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (ready && (await submit(() => client.ask(request(value))))) back();
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p>{children}</p>
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <input
          ref={input}
          id={id}
          className="text-input"
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          autoCapitalize={free ? "sentences" : "none"}
          spellCheck={free}
          maxLength={free ? TITLE_BYTES : 64}
          dir={free ? "auto" : undefined}
          aria-invalid={problem !== null || excess > 0}
          aria-describedby={`${id}-excess`}
        />
        <TooLong id={`${id}-excess`} by={excess} />
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button type="submit" className="button primary" disabled={busy || !ready}>
          {busy ? "One moment…" : action}
        </button>
      </div>
    </form>
  );
}
