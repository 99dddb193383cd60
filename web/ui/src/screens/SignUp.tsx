import { type FormEvent, useState } from "react";
import type { SignUpTicket } from "../api";
import { CodeField } from "../parts/CodeField";
import { Complaint, Entry } from "../parts/Entry";
import { WritePhrase } from "../parts/Phrase";
import { Ticket } from "../parts/Ticket";
import { UsernameField, useAvailability } from "../parts/UsernameField";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";
import { timeOfDay } from "../text/dates";
import { RecoveryCodes } from "./RecoveryCodes";

/** Name, then authenticator, then recovery codes and recovery phrase. Where one stands is the node's to know: a reload loses nothing. */
export function SignUp() {
  const client = useClient();
  const account = usePart((s) => s.status?.account);
  const signedUp = usePart((s) => s.signedUp);
  const [saved, setSaved] = useState(false);
  if (signedUp && !saved) return <RecoveryCodes signedUp={signedUp} saved={() => setSaved(true)} />;
  if (signedUp) {
    return (
      <Entry title="Write down your recovery phrase">
        <WritePhrase done={() => client.account.codesSaved()} />
      </Entry>
    );
  }
  if (account?.state === "pending") return <Authenticator ticket={account.ticket} />;
  return <ChooseName />;
}

function ChooseName() {
  const client = useClient();
  const [username, setUsername] = useState("");
  const availability = useAvailability(username.trim());
  const { busy, problem, submit } = useSubmit();
  const free = typeof availability === "object" && "available" in availability && availability.available;

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (free) await submit(() => client.account.signUp(username.trim()));
  }

  return (
    <Entry title="Create your account">
      <p>No password, no phone number: a name, and an authenticator app that shows six-digit codes.</p>
      <form onSubmit={(event) => void onSubmit(event)}>
        <UsernameField value={username} onChange={setUsername} availability={availability} />
        {problem && <Complaint {...problem} />}
        <button type="submit" className="button primary wide" disabled={!free || busy}>
          Generate QR code
        </button>
      </form>
      <div className="entry-actions">
        <button type="button" className="link" onClick={() => navigate({ name: "login" })}>
          I have an account already
        </button>
        <button type="button" className="link" onClick={() => navigate({ name: "link" })}>
          I have an account on another device
        </button>
      </div>
    </Entry>
  );
}

function Authenticator({ ticket }: { ticket: SignUpTicket }) {
  const client = useClient();
  const [byHand, setByHand] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function otherName() {
    try {
      await client.account.cancelSignUp();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <Entry title="Add it to your authenticator">
      <p>
        {byHand
          ? "In your authenticator app add an account by hand and type this key, for "
          : "Scan this with your authenticator app, for "}
        <strong className="name">{ticket.username}</strong>. Good until {timeOfDay(ticket.expires_at * 1000)}.
      </p>
      <Ticket ticket={ticket} byHand={byHand} onByHand={setByHand} />
      <CodeField
        label="Then type the six digits it shows"
        submit={(code) => client.account.confirmSignUp(code)}
      />
      {problem && <Complaint {...problem} />}
      <div className="entry-actions">
        <button type="button" className="link" onClick={() => void otherName()}>
          Choose another name
        </button>
      </div>
    </Entry>
  );
}
