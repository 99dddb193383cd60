import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useClient, usePart } from "../state/hooks";
import { navigate } from "../state/route";
import { useSubmit } from "../state/submit";
import { joinState } from "../text/links";
import { Complaint } from "./Entry";

/** Where one knocked and isn't in yet. */
export function Joinings() {
  const client = useClient();
  const joinings = usePart((s) => s.joinings);
  if (joinings.length === 0) return null;
  return (
    <ul className="joinings" aria-label="Waiting to be let in">
      {joinings.map((joining) => (
        <li key={joining.door}>
          <p role="status">{joinState(joining)}</p>
          <button type="button" className="link" onClick={() => void client.groups.cancelJoin(joining.door)}>
            {joining.state.state === "refused" ? "Dismiss" : "Wait no longer"}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Into the group that everybody of the relay may join. */
export function LobbyButton({ done }: { done?: () => void }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();
  const enter = () =>
    void submit(async () => {
      const conversation = await client.groups.lobby();
      done?.();
      if (conversation) navigate({ name: "chat", conversation });
    });
  return (
    <>
      {problem && <Complaint {...problem} />}
      <button type="button" className="link" disabled={busy} onClick={enter}>
        {busy ? "Knocking at the lobby…" : "Go to the lobby, where everybody of your relay may be"}
      </button>
    </>
  );
}

/** Takes a pasted link. */
export function JoinForm({ done, back }: { done: () => void; back: () => void }) {
  const client = useClient();
  const [link, setLink] = useState("");
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), []);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (link.trim() === "") return;
    await submit(async () => {
      const conversation = await client.groups.join(link.trim());
      done();
      if (conversation) navigate({ name: "chat", conversation });
    });
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p>Paste the link that somebody gave you. You are in as soon as one of those who made it is online.</p>
      <div className="field">
        <label htmlFor={id}>Link</label>
        <textarea
          ref={input}
          id={id}
          className="text-input link-text"
          rows={4}
          value={link}
          onChange={(event) => setLink(event.target.value)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="livechat:join:…"
          aria-invalid={problem !== null}
        />
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
        <button type="submit" className="button primary" disabled={busy || link.trim() === ""}>
          {busy ? "Knocking…" : "Join"}
        </button>
      </div>
    </form>
  );
}
