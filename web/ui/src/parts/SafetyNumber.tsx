import { type FormEvent, useEffect, useId, useState } from "react";
import type { Contact, SafetyCode } from "../api";
import { useClient } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { CodePicture } from "./CodePicture";
import { CopyButton } from "./CopyButton";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";

interface Props {
  contact: Contact;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Being sure whom one talks to: sixty digits that are the same on both sides exactly when nobody sits in between, or
 * a code that one shows and the other reads. */
export function SafetyNumber({ contact, open, onOpenChange }: Props) {
  return (
    <Sheet title={contact.verified ? "Verified" : "Verify"} open={open} onOpenChange={onOpenChange}>
      <Digits contact={contact} close={() => onOpenChange(false)} />
      <TheirCode />
      <OwnCode contact={contact} />
    </Sheet>
  );
}

function Digits({ contact, close }: { contact: Contact; close: () => void }) {
  const client = useClient();
  const { problem, busy, submit } = useSubmit();
  const groups = contact.safety_number.match(/\d{5}/g) ?? [];
  const note = (verified: boolean) => submit(() => client.lists.verify(contact.account, verified));
  return (
    <>
      <p>
        Compare these digits with <bdi className="name">{contact.username}</bdi>, in person or on a call. If
        they are the same on both screens, nobody sits between you.
      </p>
      <ol className="safety" aria-label={`Safety number with ${contact.username}`}>
        {groups.map((group, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: twelve places that never move
          <li key={i}>{group}</li>
        ))}
      </ol>
      {problem && <Complaint {...problem} />}
      <p role="status">
        {contact.verified && (
          <>
            ✓ <bdi>{contact.username}</bdi> is verified.
          </>
        )}
      </p>
      <div className="sheet-actions">
        <button type="button" className="button" onClick={close}>
          Close
        </button>
        {contact.verified ? (
          <button type="button" className="button" disabled={busy} onClick={() => void note(false)}>
            No longer verified
          </button>
        ) : (
          <button type="button" className="button primary" disabled={busy} onClick={() => void note(true)}>
            They are the same
          </button>
        )}
      </div>
    </>
  );
}

/** Reads what the other one shows, from a picture of it or pasted. */
function TheirCode() {
  const client = useClient();
  const [code, setCode] = useState("");
  const [done, setDone] = useState<string | null>(null);
  const { busy, problem, submit } = useSubmit();
  const id = useId();

  const check = (read: () => Promise<string>) =>
    submit(async () => setDone((await client.lists.checkCode(await read())).username));

  function compare(event: FormEvent) {
    event.preventDefault();
    void check(async () => code);
  }

  return (
    <form onSubmit={compare}>
      <h3>Or read their code</h3>
      <div className="field">
        <label htmlFor={`${id}-code`}>
          What they sent you in another way, or a picture of what they show
        </label>
        <input
          id={`${id}-code`}
          className="text-input"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          placeholder="LIVECHAT-VERIFY:…"
          autoComplete="off"
          spellCheck={false}
        />
        <CodePicture label="Picture of their code" disabled={busy} take={(read) => void check(read)} />
      </div>
      {problem && <Complaint {...problem} />}
      {/* There before its words, or they aren't said. */}
      <p role="status">
        {done && (
          <>
            ✓ That is <bdi>{done}</bdi>'s code, and it is about you.
          </>
        )}
      </p>
      <div className="sheet-actions">
        <button type="submit" className="button" disabled={busy || !code.trim()}>
          Compare
        </button>
      </div>
    </form>
  );
}

/** What the other one reads. */
function OwnCode({ contact }: { contact: Contact }) {
  const client = useClient();
  const [code, setCode] = useState<SafetyCode | null>(null);
  const { problem, submit } = useSubmit();
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each contact
  useEffect(() => {
    void submit(async () => setCode(await client.ask({ type: "safety_code", account: contact.account })));
  }, [contact.account]);
  return (
    <>
      <h3>Or show them yours</h3>
      {problem && <Complaint {...problem} />}
      {code && (
        <>
          <img
            className="qr"
            src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(code.qr_svg)}`}
            alt={`Your verification code for ${contact.username}`}
          />
          <div className="sheet-actions">
            <CopyButton text={code.code} what="the code" />
          </div>
        </>
      )}
    </>
  );
}
