import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { CodeField } from "../parts/CodeField";
import { Complaint, Entry } from "../parts/Entry";
import { useClient, usePart } from "../state/hooks";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";

export function LogIn() {
  const client = useClient();
  const account = usePart((s) => s.status?.account);
  const [username, setUsername] = useState(account?.state === "logged_out" ? account.username : "");
  const [recovery, setRecovery] = useState(false);
  const id = useId();
  const name = useRef<HTMLInputElement>(null);
  // The code submits itself, so the name comes first. The code's field takes the focus before this.
  useEffect(() => {
    if (name.current?.value === "") name.current.focus();
  }, []);
  const submit = (code: string) => client.account.logIn(username.trim(), code);
  return (
    <Entry title="Welcome back">
      <div className="field">
        <label htmlFor={id}>Username</label>
        <input
          ref={name}
          id={id}
          className="text-input"
          value={username}
          onChange={(event) => setUsername(event.target.value)}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
        />
      </div>
      {recovery ? (
        <RecoveryCode submit={submit} />
      ) : (
        <CodeField label="Code from your authenticator app" submit={submit} />
      )}
      <div className="entry-actions">
        <button type="button" className="link" onClick={() => setRecovery(!recovery)}>
          {recovery ? "Use the authenticator app" : "Use a recovery code"}
        </button>
        {account?.state === "none" && (
          <button type="button" className="link" onClick={() => navigate({ name: "signup" })}>
            Create an account
          </button>
        )}
      </div>
    </Entry>
  );
}

/** Recovery codes have no fixed length to wait for, so they want a button. */
export function RecoveryCode({ submit }: { submit: (code: string) => Promise<void> }) {
  const [code, setCode] = useState("");
  const { busy, problem, submit: run } = useSubmit();
  const id = useId();

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    await run(() => submit(code.trim()));
  }

  return (
    <form className="field" onSubmit={(event) => void onSubmit(event)}>
      <label htmlFor={id}>Recovery code</label>
      <input
        id={id}
        className="text-input mono"
        value={code}
        onChange={(event) => setCode(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
      />
      <p className="field-note">One of the codes you saved when you signed up. Each works once.</p>
      {problem && <Complaint {...problem} />}
      <button type="submit" className="button primary wide" disabled={busy || code.trim() === ""}>
        Log in
      </button>
    </form>
  );
}
