import { type FormEvent, useEffect, useId, useState } from "react";
import type { Device, Handover } from "../api";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { dayAndTime } from "../text/dates";
import { CodePicture } from "./CodePicture";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { HandoverProgress, WhatIsGiven } from "./Handover";

/** Digits of an id that are shown: enough to tell the devices of one account apart. */
const SHORT = 8;

type Page =
  | { name: "ledger"; note?: string }
  | { name: "add" }
  | { name: "give"; device: Device }
  | { name: "remove"; device: Device };

/** The devices that speak for this account or did: who let them in, and their end. */
export function Devices({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Sheet title="Devices" open={open} onOpenChange={onOpenChange}>
      <Pages close={() => onOpenChange(false)} />
    </Sheet>
  );
}

function Pages({ close }: { close: () => void }) {
  const [page, setPage] = useState<Page>({ name: "ledger" });
  const back = (note?: string) => setPage({ name: "ledger", ...(note && { note }) });
  if (page.name === "add") return <Add back={back} />;
  if (page.name === "give") return <Give device={page.device} back={back} />;
  if (page.name === "remove") return <Remove device={page.device} back={back} />;
  return <Ledger note={page.note} go={setPage} close={close} />;
}

function Ledger({
  note,
  go,
  close,
}: {
  note: string | undefined;
  go: (page: Page) => void;
  close: () => void;
}) {
  const client = useClient();
  const devices = usePart((s) => s.devices);
  const handovers = usePart((s) => s.handovers);
  const removed = usePart((s) => s.status?.account.state === "active" && s.status.account.removed);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    client.account.fetchDevices().catch((error: unknown) => setProblem(explain(error)));
  }, [client]);

  return (
    <>
      <p role="status" className="field-note good">
        {note}
      </p>
      {problem && <Complaint {...problem} />}
      <ul className="sessions" aria-label="Devices of this account">
        {devices?.map((device) => (
          <li key={device.device}>
            <span>
              {device.this ? "This device" : "Another device"} <code>{device.device.slice(0, SHORT)}</code>
              <small>{words(device)}</small>
            </span>
            {!device.this && !removed && device.removed_at === null && !device.pending && (
              <span className="device-actions">
                {!handovers[device.device] && (
                  <button
                    type="button"
                    className="button"
                    aria-label={`Give device ${device.device.slice(0, SHORT)} my history`}
                    onClick={() => go({ name: "give", device })}
                  >
                    Give history
                  </button>
                )}
                <button
                  type="button"
                  className="button"
                  aria-label={`Remove device ${device.device.slice(0, SHORT)}`}
                  onClick={() => go({ name: "remove", device })}
                >
                  Remove
                </button>
              </span>
            )}
            {handovers[device.device] && <HandoverProgress handover={handovers[device.device] as Handover} />}
          </li>
        ))}
      </ul>
      <div className="sheet-actions">
        <button type="button" className="button" onClick={close}>
          Done
        </button>
        {!removed && (
          <button type="button" className="button primary" onClick={() => go({ name: "add" })}>
            Add a device
          </button>
        )}
      </div>
    </>
  );
}

function words(device: Device): string {
  const by = device.added_by
    ? `by ${device.added_by.slice(0, SHORT)}`
    : "by the first device or the recovery phrase";
  const added = `added ${dayAndTime(device.added_at * 1000)} ${by}`;
  if (device.removed_at !== null) return `${added}; removed ${dayAndTime(device.removed_at * 1000)}`;
  return device.pending ? `${added}; waiting for the relay` : added;
}

function Add({ back }: { back: (note?: string) => void }) {
  const client = useClient();
  const [code, setCode] = useState("");
  const [history, setHistory] = useState(false);
  const { busy, problem, submit } = useSubmit();
  const id = useId();

  async function add(read: () => Promise<string>) {
    const done = await submit(async () => client.account.addDevice(await read(), history));
    if (done) {
      back(
        history
          ? "It is added as soon as the relay has noted it. Your history follows by itself; both devices show how far it is."
          : "It is added as soon as the relay has noted it, and comes into your chats by itself.",
      );
    }
  }

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (code.trim() !== "") void add(async () => code.trim());
  }

  return (
    <form onSubmit={onSubmit}>
      <p>
        On the new device choose “I have an account on another device”. It then shows a code. Add only a
        device that you have before you: it will read and write as you.
      </p>
      <div className="field">
        <label htmlFor={id}>The code that the new device shows</label>
        <input
          id={id}
          className="text-input mono"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          placeholder="XXXX-XXXX-XXXX-XXXX"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={128}
        />
        <CodePicture label="Picture of its QR code" disabled={busy} take={(read) => void add(read)} />
      </div>
      <label className="check">
        <input type="checkbox" checked={history} onChange={(event) => setHistory(event.target.checked)} />{" "}
        Also give it my history
      </label>
      {history && <WhatIsGiven />}
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => back()}>
          Back
        </button>
        <button type="submit" className="button primary" disabled={busy || code.trim() === ""}>
          {busy ? "Comparing…" : "Add this device"}
        </button>
      </div>
    </form>
  );
}

function Give({ device, back }: { device: Device; back: (note?: string) => void }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();

  async function give() {
    if (await submit(() => client.handovers.give(device.device))) {
      back("Your history follows by itself, also when this page is closed.");
    }
  }

  return (
    <>
      <p>
        Give device <code>{device.device.slice(0, SHORT)}</code> the history of this one?
      </p>
      <WhatIsGiven />
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => back()}>
          Back
        </button>
        <button type="button" className="button primary" disabled={busy} onClick={() => void give()}>
          Give it
        </button>
      </div>
    </>
  );
}

function Remove({ device, back }: { device: Device; back: (note?: string) => void }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();

  async function remove() {
    if (await submit(() => client.account.removeDevice(device.device))) {
      back("It is removed as soon as the relay has noted it.");
    }
  }

  return (
    <>
      <p>
        Remove device <code>{device.device.slice(0, SHORT)}</code>, {words(device)}? It is told, is logged
        out, and reads and writes nothing new. It can't be added again. What it has already stays on it, and
        your contacts see that a device was removed.
      </p>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => back()}>
          Back
        </button>
        <button type="button" className="button danger" disabled={busy} onClick={() => void remove()}>
          Remove it
        </button>
      </div>
    </>
  );
}
