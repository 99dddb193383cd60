import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useClient, usePart } from "../state/hooks";
import { TITLE_BYTES, textBytes } from "../state/pending";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { JoinForm, LobbyButton } from "./Joinings";
import { TooLong } from "./TooLong";

export function NewGroup({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Sheet title="New group" open={open} onOpenChange={onOpenChange}>
      <NewOrJoin done={() => onOpenChange(false)} />
    </Sheet>
  );
}

/** Most found a group; some have a link to one. */
function NewOrJoin({ done }: { done: () => void }) {
  const [joining, setJoining] = useState(false);
  if (joining) return <JoinForm done={done} back={() => setJoining(false)} />;
  return (
    <>
      <NewGroupForm done={done} />
      <button type="button" className="link" onClick={() => setJoining(true)}>
        Join a group by a link instead
      </button>
      <LobbyButton done={done} />
    </>
  );
}

/** A title, and who is in it: contacts by a tick, others by their username. More can be invited later. */
function NewGroupForm({ done }: { done: () => void }) {
  const client = useClient();
  const contacts = usePart((s) => s.contacts);
  const [title, setTitle] = useState("");
  const [name, setName] = useState("");
  const [others, setOthers] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const first = useRef<HTMLInputElement>(null);
  // After the dialog has taken the focus for itself.
  useEffect(() => {
    const timer = setTimeout(() => first.current?.focus(), 0);
    return () => clearTimeout(timer);
  }, []);

  const known = contacts.filter((c) => c.standing === "accepted").map((c) => c.username);
  const names = [...known, ...others.filter((o) => !known.includes(o))];
  const excess = textBytes(title.trim()) - TITLE_BYTES;
  const ready = title.trim() !== "" && excess <= 0;

  function choose(username: string, on: boolean) {
    const next = new Set(chosen);
    if (on) next.add(username);
    else next.delete(username);
    setChosen(next);
  }

  /** Takes the typed name into the list. */
  function add(): string | null {
    const username = name.trim();
    if (username === "") return null;
    if (!names.includes(username)) setOthers([...others, username]);
    choose(username, true);
    setName("");
    return username;
  }

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!ready) return;
    // A name that still stands in the field is meant too.
    const members = new Set(chosen).add(add() ?? "");
    members.delete("");
    await submit(async () => {
      const conversation = await client.groups.create(title.trim(), [...members]);
      done();
      navigate({ name: "chat", conversation });
    });
  }

  function onNameKey(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.nativeEvent.isComposing || name.trim() === "") return;
    event.preventDefault();
    add();
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <div className="field">
        <label htmlFor={`${id}-title`}>Title</label>
        <input
          ref={first}
          id={`${id}-title`}
          className="text-input"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
          autoComplete="off"
          maxLength={TITLE_BYTES}
          dir="auto"
          aria-invalid={excess > 0}
          aria-describedby={`${id}-excess`}
        />
        <TooLong id={`${id}-excess`} by={excess} />
      </div>
      <fieldset className="members-pick">
        <legend>Who is in it, besides you?</legend>
        {names.length > 0 && (
          <ul className="choices">
            {names.map((username) => (
              <li key={username}>
                <label className="choice">
                  <input
                    type="checkbox"
                    checked={chosen.has(username)}
                    onChange={(event) => choose(username, event.target.checked)}
                  />
                  <bdi>{username}</bdi>
                </label>
              </li>
            ))}
          </ul>
        )}
        <div className="field">
          <label htmlFor={`${id}-name`}>Somebody else's username</label>
          <div className="field-row">
            <input
              id={`${id}-name`}
              className="text-input"
              value={name}
              onChange={(event) => setName(event.target.value)}
              onKeyDown={onNameKey}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={64}
            />
            <button type="button" className="button" disabled={name.trim() === ""} onClick={add}>
              Add
            </button>
          </div>
          <p className="field-note" role="status">
            {chosen.size === 0
              ? "You can invite people later, too."
              : `${chosen.size} chosen. Names are looked up when the group is made.`}
          </p>
        </div>
      </fieldset>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={done}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy || !ready}>
          {busy ? "Making it…" : "Make the group"}
        </button>
      </div>
    </form>
  );
}
