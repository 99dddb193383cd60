import { type FormEvent, useId, useState } from "react";
import type { DeviceTicket } from "../api";
import { CopyButton } from "../parts/CopyButton";
import { Complaint, Entry } from "../parts/Entry";
import { useClient, usePart } from "../state/hooks";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";
import { timeOfDay } from "../text/dates";

/** Adds this device to an account that there is: another device lets it in, or the recovery phrase does. */
export function LinkDevice() {
  const account = usePart((s) => s.status?.account);
  if (account?.state === "linking") return <Waiting ticket={account.ticket} />;
  return <Ask />;
}

function Ask() {
  const client = useClient();
  const [username, setUsername] = useState("");
  const [code, setCode] = useState("");
  const [phrase, setPhrase] = useState<string | null>(null);
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const ready = username.trim() !== "" && code.trim() !== "" && phrase?.trim() !== "";

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!ready) return;
    // A code is good once: the next try wants another one.
    if (!(await submit(() => client.account.link(username.trim(), code.trim(), phrase)))) setCode("");
  }

  return (
    <Entry title="Add this device to your account">
      <p>
        {phrase === null
          ? "Have a device at hand where you are logged in: it lets this one in."
          : "With your recovery phrase this device needs no other one."}
      </p>
      <form onSubmit={(event) => void onSubmit(event)}>
        <div className="field">
          <label htmlFor={`${id}-name`}>Username</label>
          <input
            id={`${id}-name`}
            className="text-input"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-code`}>Code from your authenticator app, or a recovery code</label>
          <input
            id={`${id}-code`}
            className="text-input mono"
            value={code}
            onChange={(event) => setCode(event.target.value)}
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
          />
        </div>
        {phrase !== null && (
          <div className="field">
            <label htmlFor={`${id}-phrase`}>The 24 words of your recovery phrase</label>
            <textarea
              id={`${id}-phrase`}
              className="text-input mono"
              rows={4}
              value={phrase}
              onChange={(event) => setPhrase(event.target.value)}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={4096}
            />
          </div>
        )}
        {problem && <Complaint {...problem} />}
        <button type="submit" className="button primary wide" disabled={busy || !ready}>
          {busy ? "Asking the relay…" : "Go on"}
        </button>
      </form>
      <div className="entry-actions">
        <button type="button" className="link" onClick={() => setPhrase(phrase === null ? "" : null)}>
          {phrase === null ? "Use my recovery phrase instead" : "Use another device instead"}
        </button>
        <button type="button" className="link" onClick={() => navigate({ name: "signup" })}>
          Create an account
        </button>
      </div>
    </Entry>
  );
}

function Waiting({ ticket }: { ticket: DeviceTicket }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();
  return (
    <Entry title="Enter this code on your other device">
      <img
        className="qr"
        src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(ticket.qr_svg)}`}
        alt="The code of this device"
      />
      <div className="setup-key">
        <code>{ticket.code}</code>
        <CopyButton text={ticket.code} what="code" />
      </div>
      <p>
        Where you are logged in as <strong className="name">{ticket.username}</strong>, choose Devices in the
        menu, then add a device, and type the code or scan it. In a terminal: <code>/devices add</code>.
      </p>
      <p role="status">Waiting until {timeOfDay(ticket.expires_at * 1000)}. This page goes on by itself.</p>
      {problem && <Complaint {...problem} />}
      <div className="entry-actions">
        <button
          type="button"
          className="link"
          disabled={busy}
          onClick={() => void submit(() => client.account.cancelLink())}
        >
          Cancel
        </button>
      </div>
    </Entry>
  );
}
