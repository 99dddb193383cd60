import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useClient } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";

/** Another username, with a code. */
export function Rename({ now, back, done }: { now: string; back: () => void; done: () => void }) {
  const client = useClient();
  const [name, setName] = useState("");
  const [code, setCode] = useState("");
  const { busy, problem, submit } = useSubmit();
  const first = useRef<HTMLInputElement>(null);
  const [nameId, codeId] = [useId(), useId()];
  const ready = name.trim() !== "" && code.trim() !== "" && !busy;
  useEffect(() => first.current?.focus(), []);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!ready) return;
    if (await submit(() => client.account.rename(name.trim(), code.trim()))) done();
    else setCode("");
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p>
        You are called <bdi>{now}</bdi>. Your contacts learn the new name within minutes; what they compared
        with you still holds. The old one is kept from others for thirty days, and leads nobody to you. Links
        into groups that you made before need making anew.
      </p>
      <div className="field">
        <label htmlFor={nameId}>New username</label>
        <input
          id={nameId}
          ref={first}
          className="text-input"
          value={name}
          onChange={(event) => setName(event.target.value)}
          disabled={busy}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          aria-invalid={problem !== null}
        />
      </div>
      <div className="field">
        <label htmlFor={codeId}>A code, or a recovery code</label>
        <input
          id={codeId}
          className="text-input"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          disabled={busy}
          autoComplete="one-time-code"
          spellCheck={false}
          maxLength={64}
        />
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button type="submit" className="button primary" disabled={!ready}>
          {busy ? "Asking the relay…" : "Change it"}
        </button>
      </div>
    </form>
  );
}
