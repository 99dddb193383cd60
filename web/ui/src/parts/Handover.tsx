import { useEffect, useState } from "react";
import type { Handover, HistorySize } from "../api";
import { explain } from "../state/explain";
import { handoverKey } from "../state/handovers";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { amount } from "../text/files";
import { handoverState } from "../text/handovers";
import { Complaint } from "./Entry";
import { Close } from "./icons";

/** How far history on its way is, why it waits, and a way to stop it. */
export function HandoverProgress({ handover }: { handover: Handover }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();
  const { state } = handover.state;
  const going = state === "running" || state === "waiting";
  // Nothing to be measured while it is sealed or written: the bar only says that something moves.
  const known = handover.step === "moving" && handover.total > 0;
  const bar = known ? { max: handover.total, value: handover.done } : {};
  const action = going ? "Stop" : "Dismiss";
  return (
    <div className={state === "failed" ? "progress bad" : "progress"}>
      {going && <progress {...bar} aria-label={title(handover)} />}
      <span className="progress-words" role={state === "failed" ? "alert" : undefined}>
        {handoverState(handover)}
        {problem && ` ${problem.message}`}
      </span>
      <button
        type="button"
        className="button round quiet"
        aria-label={action}
        title={action}
        disabled={busy}
        onClick={() => void submit(() => client.handovers.dismiss(handover))}
      >
        <Close />
      </button>
    </div>
  );
}

function title({ device }: Handover): string {
  return device ? "History to your other device" : "History from your other device";
}

/** What goes to other devices and comes to this one, over the chats. */
export function HandoverBanner() {
  const handovers = usePart((s) => s.handovers);
  const all = Object.values(handovers);
  if (all.length === 0) return null;
  return (
    <section className="banner plain" aria-label="History between your devices">
      <ul className="handovers">
        {all.map((handover) => (
          <li key={handoverKey(handover)}>
            <strong>{title(handover)}</strong>
            <HandoverProgress handover={handover} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What giving means, with how much it is. */
export function WhatIsGiven() {
  const client = useClient();
  const [size, setSize] = useState<HistorySize | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    client.handovers.size().then(setSize, (error: unknown) => setProblem(explain(error)));
  }, [client]);

  if (problem) return <Complaint {...problem} />;
  const much = size
    ? `${size.messages === 1 ? "1 message" : `${size.messages.toLocaleString("en")} messages`} and your contacts, ${amount(size.bytes)}`
    : "Your messages and contacts (counting them)";
  return (
    <p className="field-note">
      {much}. The new device, and whoever has it, can then read and search them. They are sealed for it alone:
      the relay sees how much it is, and nothing of it. Disappearing messages stay here.
    </p>
  );
}
