import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { AccountSession, SignUpTicket } from "../api";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { dayAndTime } from "../text/dates";
import { CodeField } from "./CodeField";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { PhraseField, WritePhrase } from "./Phrase";
import { ProfileName } from "./ProfileName";
import { RecoveryList } from "./RecoveryList";
import { Rename } from "./Rename";
import { Ticket } from "./Ticket";
import { VaultForm } from "./VaultForm";

type Page =
  | { name: "overview"; note?: string }
  | { name: "recovery" }
  | { name: "codes"; codes: string[] }
  | { name: "phrase" }
  | { name: "vault" }
  | { name: "check-phrase" }
  | { name: "add" }
  | { name: "scan"; ticket: SignUpTicket }
  | { name: "remove" }
  | { name: "rename" }
  | { name: "delete" };

const START: Page = { name: "overview" };

/** What guards the account: log-ins, recovery codes, authenticators, and its end. */
export function Account({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Sheet title="Account" open={open} onOpenChange={onOpenChange}>
      <Pages close={() => onOpenChange(false)} />
    </Sheet>
  );
}

function Pages({ close }: { close: () => void }) {
  const client = useClient();
  const username = usePart((s) => (s.status?.account.state === "active" ? s.status.account.username : ""));
  const [page, setPage] = useState<Page>(START);
  const back = () => setPage({ name: "overview" });
  switch (page.name) {
    case "overview":
      return <Overview note={page.note} fromPage={page !== START} go={setPage} close={close} />;
    case "recovery":
      return (
        <CodeForm
          label="A code, or one of the old recovery codes"
          action="Make new codes"
          back={back}
          submit={async (code) =>
            setPage({ name: "codes", codes: await client.account.newRecoveryCodes(code) })
          }
        >
          <p>Ten new recovery codes. The ones you have now won't open the account any more.</p>
        </CodeForm>
      );
    case "codes":
      return (
        <>
          <p>Each lets you log in once without your phone. They are shown only now.</p>
          <RecoveryList username={username} codes={page.codes} />
          <div className="sheet-actions">
            <button type="button" className="button primary" onClick={back}>
              I saved them
            </button>
          </div>
        </>
      );
    case "vault":
      return <VaultForm back={back} done={(note) => setPage({ name: "overview", note })} />;
    case "phrase":
      return (
        <WritePhrase
          done={(checked) =>
            setPage({
              name: "overview",
              ...(checked && { note: "Right. The phrase isn't kept here any more: keep the paper." }),
            })
          }
        />
      );
    case "check-phrase":
      return (
        <>
          <PhraseField
            label="The 24 words you wrote down"
            action="Check"
            submit={async (phrase) => {
              await client.account.checkPhrase(phrase);
              setPage({ name: "overview", note: "That is the recovery phrase of this account." });
            }}
          />
          <div className="sheet-actions">
            <button type="button" className="button" onClick={back}>
              Back
            </button>
          </div>
        </>
      );
    case "add":
      return (
        <CodeForm
          label="A code of the one you have"
          action="Go on"
          back={back}
          submit={async (code) =>
            setPage({ name: "scan", ticket: await client.account.addAuthenticator(code) })
          }
        >
          <p>A second authenticator, on another phone, opens the account as the first one does.</p>
        </CodeForm>
      );
    case "scan":
      return <Scan ticket={page.ticket} back={back} done={(note) => setPage({ name: "overview", note })} />;
    case "remove":
      return (
        <CodeForm
          label="A code of the one that stays"
          action="Remove the other"
          back={back}
          submit={async (code) => {
            await client.account.removeAuthenticator(code);
            setPage({ name: "overview", note: "The other authenticator opens nothing any more." });
          }}
        >
          <p>The authenticator whose code you type stays. The other one won't open the account any more.</p>
        </CodeForm>
      );
    case "rename":
      return (
        <Rename
          now={username}
          back={back}
          done={() =>
            setPage({ name: "overview", note: "That is your name now. Your contacts see it soon." })
          }
        />
      );
    case "delete":
      return (
        <CodeForm
          label="A code, or a recovery code"
          action="Delete everything"
          danger
          back={back}
          submit={(code) => client.account.deleteAccount(code)}
        >
          <p>
            This deletes the account at the relay, and on this device every key and every message. Nobody can
            bring it back, and its name can't be had for thirty days.
          </p>
        </CodeForm>
      );
  }
}

function Overview({
  note,
  fromPage,
  go,
  close,
}: {
  note?: string | undefined;
  /** Whether another page was open before: then the focus is without a place. */
  fromPage: boolean;
  go: (page: Page) => void;
  close: () => void;
}) {
  const phraseWaits = usePart((s) => s.status?.account.state === "active" && s.status.account.phrase_waits);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (fromPage) heading.current?.focus();
  }, [fromPage]);
  return (
    <>
      <p role="status" className="field-note good">
        {note}
      </p>
      <ProfileName />
      <Sessions />
      <h3 ref={heading} tabIndex={-1}>
        What guards the account
      </h3>
      <div className="stack">
        <button type="button" className="button" onClick={() => go({ name: "vault" })}>
          How this device is locked
        </button>
        {phraseWaits ? (
          <button type="button" className="button" onClick={() => go({ name: "phrase" })}>
            Write down the recovery phrase
          </button>
        ) : (
          <button type="button" className="button" onClick={() => go({ name: "check-phrase" })}>
            Check the recovery phrase you wrote down
          </button>
        )}
        <button type="button" className="button" onClick={() => go({ name: "recovery" })}>
          New recovery codes
        </button>
        <button type="button" className="button" onClick={() => go({ name: "add" })}>
          Add a second authenticator
        </button>
        <button type="button" className="button" onClick={() => go({ name: "remove" })}>
          Keep only one authenticator
        </button>
        <button type="button" className="button" onClick={() => go({ name: "rename" })}>
          Change username
        </button>
        <button type="button" className="button danger" onClick={() => go({ name: "delete" })}>
          Delete account
        </button>
      </div>
      <div className="sheet-actions">
        <button type="button" className="button primary" onClick={close}>
          Done
        </button>
      </div>
    </>
  );
}

function Sessions() {
  const client = useClient();
  const [sessions, setSessions] = useState<AccountSession[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again after a log-out
  useEffect(() => {
    let here = true;
    client.account.sessions().then(
      (list) => here && setSessions(list),
      (error: unknown) => here && setProblem(explain(error)),
    );
    return () => {
      here = false;
    };
  }, [client, asked]);

  async function end(id: string) {
    setProblem(null);
    try {
      await client.account.endSession(id);
    } catch (error) {
      setProblem(explain(error));
    }
    setAsked(asked + 1);
  }

  return (
    <section aria-label="Where you are logged in">
      {problem && <Complaint {...problem} />}
      {sessions === null && !problem && <p>Asking the relay…</p>}
      <ul className="sessions">
        {sessions?.map((session) => (
          <li key={session.id}>
            <span>
              {session.current
                ? "Here, now"
                : session.this_device
                  ? "This device, earlier"
                  : "Somewhere else"}
              <small>
                since {dayAndTime(session.created_at * 1000)}, until {dayAndTime(session.expires_at * 1000)}
              </small>
            </span>
            {!session.current && (
              <button type="button" className="button" onClick={() => void end(session.id)}>
                Log out there
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Scan({
  ticket,
  back,
  done,
}: {
  ticket: SignUpTicket;
  back: () => void;
  done: (note: string) => void;
}) {
  const client = useClient();
  const [byHand, setByHand] = useState(false);
  return (
    <>
      <p>Scan this with the other phone's authenticator app.</p>
      <Ticket ticket={ticket} byHand={byHand} onByHand={setByHand} />
      <CodeField
        label="Then type the six digits it shows"
        submit={async (code) => {
          await client.account.confirmAuthenticator(code);
          done("Codes of both authenticators open the account now.");
        }}
      />
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Cancel
        </button>
      </div>
    </>
  );
}

interface CodeFormProps {
  label: string;
  action: string;
  danger?: boolean;
  submit: (code: string) => Promise<void>;
  back: () => void;
  children: ReactNode;
}

/** A change that needs a code: six digits, or a recovery code. */
function CodeForm({ label, action, danger = false, submit, back, children }: CodeFormProps) {
  const [code, setCode] = useState("");
  const { busy, problem, submit: run } = useSubmit();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (!busy) input.current?.focus();
  }, [busy]);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (code.trim() === "" || busy) return;
    if (!(await run(() => submit(code.trim())))) setCode("");
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      {children}
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <input
          id={id}
          ref={input}
          className="text-input"
          value={code}
          onChange={(event) => setCode(event.target.value)}
          disabled={busy}
          autoComplete="one-time-code"
          spellCheck={false}
          maxLength={64}
          aria-invalid={problem !== null}
        />
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button
          type="submit"
          className={danger ? "button danger" : "button primary"}
          disabled={busy || code.trim() === ""}
        >
          {busy ? "Checking…" : action}
        </button>
      </div>
    </form>
  );
}
