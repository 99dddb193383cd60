import { useState } from "react";
import { useClient, useNow, usePart } from "../state/hooks";
import { Sheet } from "./Dialogs";
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
