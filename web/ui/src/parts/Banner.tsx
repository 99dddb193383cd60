import { useEffect, useState } from "react";
import type { VaultInfo } from "../api";
import { useClient, useNow, usePart } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { Warning } from "./icons";
import { WritePhrase } from "./Phrase";

function seconds(until: number, now: number): string {
  const left = Math.ceil((until - now) / 1000);
  return left > 0 ? `Next try in ${left} s.` : "Trying now…";
}

/** The node itself is away: nothing on the page is live. */
export function LineBanner() {
  const client = useClient();
  const line = usePart((s) => s.line);
  const now = useNow(500);
  if (line.state !== "waiting") return null;
  return (
    <section className="banner bad" aria-label="Connection">
      <Warning />
      <p>
        <span role="alert">The node on this computer isn't answering. What you send waits on this page.</span>{" "}
        <span>{seconds(line.retryAt, now)}</span>
      </p>
      <button type="button" className="button small" onClick={() => client.retryNow()}>
        Try now
      </button>
    </section>
  );
}

/** The relay is away: messages are safe on this device and go out later. */
export function RelayBanner() {
  const relay = usePart((s) => s.status?.relay);
  const queued = usePart((s) => s.status?.queued ?? 0);
  const now = useNow(500);
  if (relay?.state !== "offline") return null;
  return (
    <section className="banner" aria-label="Connection">
      <Warning />
      <p>
        <span role="alert">Offline: {relay.reason.replace(/\.?$/, ".")}</span>{" "}
        <span>
          {queued > 0 && `${queued} ${queued === 1 ? "message waits" : "messages wait"} on this device. `}
          {seconds(relay.retry_at, now)}
        </span>
      </p>
    </section>
  );
}

/** The recovery phrase isn't on paper yet. */
export function PhraseBanner() {
  const waits = usePart((s) => s.status?.account.state === "active" && s.status.account.phrase_waits);
  const [open, setOpen] = useState(false);
  if (!waits) return null;
  return (
    <section className="banner" aria-label="Recovery phrase">
      <Warning />
      <p>Your recovery phrase isn't written down yet: without it a lost device is a lost account.</p>
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        Show it
      </button>
      <Sheet title="Recovery phrase" open={open} onOpenChange={setOpen}>
        <WritePhrase done={() => setOpen(false)} />
      </Sheet>
    </section>
  );
}

/** Another device of the account removed this one. */
export function RemovedBanner() {
  const client = useClient();
  const removed = usePart((s) => s.status?.account.state === "active" && s.status.account.removed);
  const [open, setOpen] = useState(false);
  const [vault, setVault] = useState<VaultInfo | null>(null);
  const { busy, problem, submit } = useSubmit();

  useEffect(() => {
    if (removed) client.account.vault().then(setVault, () => setVault(null));
  }, [client, removed]);

  if (!removed) return null;
  // No code opens it any more: the relay doesn't take it for one of the account's devices.
  const shuts = vault?.guarded === true && !vault.stay_unlocked;
  const keep = async () => {
    if (vault && (await submit(() => client.account.setVault(true, vault.lock_after)))) {
      setVault({ ...vault, stay_unlocked: true });
    }
  };
  return (
    <section className="banner bad" aria-label="This device">
      <Warning />
      <p role="alert">
        This device was removed from the account. What is here can be read; nothing is sent or received any
        more.
        {shuts &&
          (vault.passphrase || vault.phrase
            ? ` Once it is closed, only your ${vault.passphrase ? "passphrase" : "recovery phrase"} opens it again, no code.`
            : " Once it is closed, nothing opens it again: export what you want to keep, or keep it open.")}
        {!open && problem && ` ${problem.message}`}
      </p>
      {shuts && (
        <button type="button" className="button small" disabled={busy} onClick={() => void keep()}>
          Keep it open
        </button>
      )}
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        Erase it
      </button>
      <Sheet title="Erase this device?" role="alertdialog" open={open} onOpenChange={setOpen}>
        <p>This deletes every key and every message on this device. Export first what you want to keep.</p>
        {problem && <Complaint {...problem} />}
        <div className="sheet-actions">
          <button type="button" className="button" onClick={() => setOpen(false)}>
            Cancel
          </button>
          <button
            type="button"
            className="button danger"
            disabled={busy}
            onClick={() => void submit(() => client.account.erase())}
          >
            Erase everything
          </button>
        </div>
      </Sheet>
    </section>
  );
}
