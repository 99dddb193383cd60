import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { Refused } from "../net/connection";
import { explain } from "../state/explain";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";

export function AddContact({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Sheet title="New chat" open={open} onOpenChange={onOpenChange}>
      <AddContactForm done={() => onOpenChange(false)} />
    </Sheet>
  );
}

function AddContactForm({ done }: { done: () => void }) {
  const client = useClient();
  const [username, setUsername] = useState("");
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  // After the dialog has taken the focus for itself.
  useEffect(() => {
    const timer = setTimeout(() => input.current?.focus(), 0);
    return () => clearTimeout(timer);
  }, []);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    const name = username.trim();
    if (name === "") return;
    const add = async () => {
      const contact = await client.lists.addContact(name);
      done();
      navigate({ name: "chat", conversation: contact.conversation });
    };
    await submit(add, (error) => inWords(error, name));
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p>Who do you want to write to? Ask them for their username.</p>
      <div className="field">
        <label htmlFor={id}>Username</label>
        <input
          id={id}
          className="text-input"
          value={username}
          onChange={(event) => setUsername(event.target.value)}
          ref={input}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          aria-invalid={problem !== null}
        />
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={done}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy || username.trim() === ""}>
          {busy ? "Looking them up…" : "Start chat"}
        </button>
      </div>
    </form>
  );
}

function inWords(error: unknown, name: string): Problem {
  const problem = explain(error);
  if (!(error instanceof Refused)) return problem;
  switch (error.code) {
    case "not_found":
      return {
        message: `Nobody at this relay is called “${name}”.`,
        hint: problem.hint || "Check the spelling with them.",
      };
    case "relay_unreachable":
      return {
        message: "The relay can't be reached, so the name can't be looked up.",
        hint: problem.hint || "Try again when you are online.",
      };
    default:
      return problem;
  }
}
