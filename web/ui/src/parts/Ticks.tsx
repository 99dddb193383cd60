import type { Delivery } from "../api";

/** How far an own message provably got; `handing` is before the node has it on disk. */
export type Step = Delivery | "handing";

const WORDS: Record<Step, string> = {
  handing: "Not yet on this device's disk",
  queued: "Waiting on this device",
  accepted: "Kept by the relay",
  delivered: "On a device of the recipient",
  read: "Read",
};

/** In a group a step is reached when everybody else has reached it. */
const GROUP_WORDS: Record<Step, string> = {
  ...WORDS,
  delivered: "On a device of everybody else",
  read: "Read by everybody else",
};

/** Told apart by shape, never by colour alone; in words for screen readers and as a tooltip. */
export function Ticks({ step, group = false }: { step: Step; group?: boolean }) {
  const words = (group ? GROUP_WORDS : WORDS)[step];
  return (
    <span className={`ticks ${step}`} role="img" aria-label={words} title={words}>
      <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true" focusable="false">
        {step === "handing" && <circle cx="9" cy="7" r="5" strokeDasharray="2.500 2.500" />}
        {step === "queued" && (
          <>
            <circle cx="9" cy="7" r="5.200" />
            <path d="M9 4.200V7l2 1.300" />
          </>
        )}
        {step === "accepted" && <path d="M4.500 7.500l3 3 6-7" />}
        {step === "delivered" && <path d="M1.500 7.500l3 3 6-7M8.500 9.500l1 1 6.500-7" />}
        {step === "read" && (
          <>
            <rect className="fill" x="0" y="0" width="18" height="14" rx="7" />
            <path className="cut" d="M3.200 7.300l2.300 2.300 4.500-5.200M8.800 8.800l.9.9 4.700-5.300" />
          </>
        )}
      </svg>
    </span>
  );
}

const LEGEND: [Step, string][] = [
  ["queued", "Safe on this device, waiting for the relay."],
  ["accepted", "The relay signed that it keeps it, sealed."],
  ["delivered", "Opened on a device of the recipient."],
  ["read", "The recipient has seen it."],
];

const GROUP_LEGEND: [Step, string][] = [
  ["queued", "Safe on this device, waiting for the relay."],
  ["accepted", "The relay signed that it keeps it, sealed. In groups of more than 16 marks end here."],
  ["delivered", "Opened on a device of everybody else."],
  ["read", "Everybody else has seen it."],
];

/** What the marks mean. Each is backed by a signature or by a receipt from inside the conversation. */
export function TicksLegend({ group = false }: { group?: boolean }) {
  return (
    <ul className="legend">
      {(group ? GROUP_LEGEND : LEGEND).map(([step, meaning]) => (
        <li key={step}>
          <Ticks step={step} group={group} />
          <span>{meaning}</span>
        </li>
      ))}
    </ul>
  );
}
