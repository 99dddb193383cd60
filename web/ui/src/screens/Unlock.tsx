import { type FormEvent, useId, useState } from "react";
import { CodeField } from "../parts/CodeField";
import { Complaint, Entry } from "../parts/Entry";
import { PhraseField } from "../parts/Phrase";
import { useClient } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { RecoveryCode } from "./LogIn";

type Way = "code" | "recovery" | "phrase" | "passphrase";

const WORDS: Record<Way, string> = {
  code: "Use the authenticator app",
  recovery: "Use a recovery code",
  phrase: "Use the recovery phrase",
  passphrase: "Use the passphrase",
};

/** The store is closed: a code opens it with the relay's help, phrase and passphrase without. */
export function Unlock({
  username,
  passphrase,
  phrase,
}: {
  username: string;
  passphrase: boolean;
  phrase: boolean;
}) {
  const client = useClient();
  const [way, setWay] = useState<Way>("code");
  const ways: Way[] = ["code"];
  if (passphrase) ways.push("passphrase");
  ways.push("recovery");
  if (phrase) ways.push("phrase");
  const logIn = (code: string) => client.account.logIn(username, code);
  return (
    <Entry title="This device is locked">
      <p>
        <strong className="name">{username}</strong>, your chats are closed and encrypted. New messages wait
        at the relay.
      </p>
      {way === "code" && <CodeField label="Code from your authenticator app" submit={logIn} />}
      {way === "recovery" && <RecoveryCode submit={logIn} />}
      {way === "phrase" && (
        <PhraseField
          label="Recovery phrase"
          action="Unlock"
          submit={(phrase) => client.account.unlockByPhrase(phrase)}
        />
      )}
      {way === "passphrase" && <Passphrase />}
      <div className="entry-actions">
        {ways
          .filter((other) => other !== way)
          .map((other) => (
            <button key={other} type="button" className="link" onClick={() => setWay(other)}>
              {WORDS[other]}
            </button>
          ))}
      </div>
    </Entry>
  );
}

function Passphrase() {
  const client = useClient();
  const [typed, setTyped] = useState("");
  const { busy, problem, submit } = useSubmit();
  const id = useId();

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!(await submit(() => client.account.unlockByPassphrase(typed)))) setTyped("");
  }

  return (
    <form className="field" onSubmit={(event) => void onSubmit(event)}>
      <label htmlFor={id}>Passphrase</label>
      <input
        id={id}
        type="password"
        className="text-input"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
        maxLength={1024}
      />
      {problem && <Complaint {...problem} />}
      <button type="submit" className="button primary wide" disabled={busy || typed === ""}>
        {busy ? "Checking…" : "Unlock"}
      </button>
    </form>
  );
}
