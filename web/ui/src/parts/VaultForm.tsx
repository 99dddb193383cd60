import { type FormEvent, useEffect, useId, useState } from "react";
import type { VaultInfo } from "../api";
import { explain } from "../state/explain";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";

const AFTER: [number, string][] = [
  [0, "Never by itself"],
  [300, "After 5 minutes without use"],
  [1800, "After half an hour without use"],
  [7200, "After two hours without use"],
];

/** When this device locks itself, and whether a passphrase opens it. */
export function VaultForm({ back, done }: { back: () => void; done: (note: string) => void }) {
  const client = useClient();
  const [vault, setVault] = useState<VaultInfo | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    let here = true;
    client.account.vault().then(
      (info) => here && setVault(info),
      (error: unknown) => here && setProblem(explain(error)),
    );
    return () => {
      here = false;
    };
  }, [client]);

  const leave = (
    <div className="sheet-actions">
      <button type="button" className="button" onClick={back}>
        Back
      </button>
    </div>
  );
  if (!vault) {
    return (
      <>
        {problem ? <Complaint {...problem} /> : <p>One moment…</p>}
        {leave}
      </>
    );
  }
  if (!vault.guarded) {
    return (
      <>
        <p>
          This device's key isn't in a vault yet. Log out and in again with a code while the relay can be
          reached.
        </p>
        {leave}
      </>
    );
  }
  return (
    <>
      <p>{vault.phrase ? "A code, or the recovery phrase, opens" : "A code opens"} this device.</p>
      <Habits vault={vault} done={done} />
      <Passphrase set={vault.passphrase} done={done} />
      {leave}
    </>
  );
}

function Habits({ vault, done }: { vault: VaultInfo; done: (note: string) => void }) {
  const client = useClient();
  const [stay, setStay] = useState(vault.stay_unlocked);
  const [after, setAfter] = useState(vault.lock_after);
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const choices = AFTER.some(([seconds]) => seconds === vault.lock_after)
    ? AFTER
    : [...AFTER, [vault.lock_after, `After ${vault.lock_after} seconds without use`] as [number, string]];

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (await submit(() => client.account.setVault(stay, after))) done("Saved.");
  }

  return (
    <form className="stack" onSubmit={(event) => void onSubmit(event)}>
      <label className="check">
        <input type="checkbox" checked={stay} onChange={(event) => setStay(event.target.checked)} /> Stay open
        for the ten days of a log-in, also after a restart
      </label>
      {!stay && (
        <p className="field-note">
          A device that was removed from its account and is closed isn't opened by a code any more: then only
          {vault.phrase ? " the recovery phrase or a passphrase does." : " a passphrase does. Set one below."}
        </p>
      )}
      <div className="field">
        <label htmlFor={id}>Lock</label>
        <select
          id={id}
          className="text-input"
          value={after}
          onChange={(event) => setAfter(Number(event.target.value))}
        >
          {choices.map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              {words}
            </option>
          ))}
        </select>
      </div>
      {problem && <Complaint {...problem} />}
      <button type="submit" className="button" disabled={busy}>
        Save
      </button>
    </form>
  );
}

function Passphrase({ set, done }: { set: boolean; done: (note: string) => void }) {
  const client = useClient();
  const [typed, setTyped] = useState("");
  const { busy, problem, submit } = useSubmit();
  const id = useId();

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (await submit(() => client.account.setPassphrase(typed))) {
      done("The passphrase opens this device now, too.");
    }
  }

  async function remove() {
    if (await submit(() => client.account.setPassphrase(null))) {
      done("No passphrase opens this device any more.");
    }
  }

  return (
    <form className="stack" onSubmit={(event) => void onSubmit(event)}>
      <div className="field">
        <label htmlFor={id}>{set ? "Another passphrase" : "A passphrase as a further way in"}</label>
        <input
          id={id}
          type="password"
          className="text-input"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          autoComplete="new-password"
          maxLength={1024}
        />
        <p className="field-note">Eight characters at least; several words are best. It needs no relay.</p>
      </div>
      {problem && <Complaint {...problem} />}
      <div className="button-row">
        {set && (
          <button type="button" className="button" disabled={busy} onClick={() => void remove()}>
            Remove it
          </button>
        )}
        <button type="submit" className="button" disabled={busy || typed === ""}>
          Set it
        </button>
      </div>
    </form>
  );
}
