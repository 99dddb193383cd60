import type { Transfer } from "../api";
import { useClient } from "../state/hooks";
import { Close } from "./icons";

/** How far a file is, why it waits, and a way to stop it. */
export function Progress({ transfer, label }: { transfer: Transfer; label: string }) {
  const client = useClient();
  const { conversation, message, state } = transfer;
  const failed = state.state === "failed";
  const words =
    state.state === "waiting"
      ? `Waiting. ${state.reason}`
      : failed
        ? `${state.message} ${state.hint}`
        : `${Math.floor((100 * transfer.done) / Math.max(1, transfer.total))} % ${transfer.direct ? "directly" : "by the relay"}`;
  return (
    <div className={failed ? "progress bad" : "progress"}>
      {!failed && <progress max={transfer.total} value={transfer.done} aria-label={label} />}
      <span className="progress-words" role={failed ? "alert" : undefined}>
        {words}
      </span>
      <button
        type="button"
        className="button round quiet"
        aria-label={failed ? "Dismiss" : "Stop"}
        title={failed ? "Dismiss" : "Stop"}
        onClick={() => void client.does({ type: "cancel_transfer", conversation, message })}
      >
        <Close />
      </button>
    </div>
  );
}
