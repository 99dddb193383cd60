import type { Handover } from "../api";
import { amount } from "./files";

/** Where a handover stands, in words. */
export function handoverState({ device, step, messages, done, total, state }: Handover): string {
  const counted = messages === 1 ? "1 message" : `${messages.toLocaleString("en")} messages`;
  switch (state.state) {
    case "waiting":
      return `Waiting. ${state.reason}`;
    case "failed":
      return `${state.message} ${state.hint}`;
    case "done":
      return device
        ? `Your history, ${counted}, is sealed at the relay. The other device fetches it.`
        : `The history of your other device is here: ${counted} came.`;
    case "cancelled":
      return "Stopped.";
    case "running":
      break;
  }
  if (step === "gathering") return `Sealing: ${counted} so far.`;
  if (step === "restoring") return "Writing it to this device.";
  return `${amount(done)} of ${amount(total)} ${device ? "to" : "from"} the relay.`;
}
