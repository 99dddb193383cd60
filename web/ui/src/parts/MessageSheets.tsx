import { useEffect, useState } from "react";
import type { Message, Revision } from "../api";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { newMessageId } from "../state/pending";
import { wholeTime } from "../text/dates";
import { closed } from "../text/groups";
import { Avatar } from "./Avatar";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { MessageText } from "./MessageText";

interface Opens {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Passes the words of a message on to another chat. */
export function Forward({ from, message, open, onOpenChange }: Opens & { from: string; message: Message }) {
  const client = useClient();
  const conversations = usePart((s) => s.conversations);
  const groups = usePart((s) => s.groups);
  const to = conversations?.filter((c) => c.standing === "accepted" && !closed(groups[c.id])) ?? [];

  async function forward(conversation: string) {
    onOpenChange(false);
    const id = newMessageId();
    await client.does({ type: "forward", from, position: message.position, to: conversation, id });
  }

  return (
    <Sheet title="Forward to" open={open} onOpenChange={onOpenChange}>
      {to.length === 0 && <p>There is no chat to forward it to.</p>}
      <ul className="choices">
        {to.map((c) => (
          <li key={c.id}>
            <button type="button" className="choice" onClick={() => void forward(c.id)}>
              <Avatar name={c.title} seed={c.id} />
              <bdi>{c.title}</bdi>
            </button>
          </li>
        ))}
      </ul>
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => onOpenChange(false)}>
          Cancel
        </button>
      </div>
    </Sheet>
  );
}

/** Every text a message had. */
export function Revisions({ chat, message, open, onOpenChange }: Opens & { chat: string; message: Message }) {
  return (
    <Sheet title="Earlier versions" open={open} onOpenChange={onOpenChange}>
      <RevisionList chat={chat} position={message.position} edited={message.edited_at} />
      <div className="sheet-actions">
        <button type="button" className="button primary" onClick={() => onOpenChange(false)}>
          Close
        </button>
      </div>
    </Sheet>
  );
}

function RevisionList({ chat, position, edited }: { chat: string; position: number; edited: number | null }) {
  const client = useClient();
  const [revisions, setRevisions] = useState<Revision[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when it is edited meanwhile
  useEffect(() => {
    let wanted = true;
    client.ask({ type: "revisions", conversation: chat, position }).then(
      (answer) => wanted && setRevisions(answer.revisions),
      (error: unknown) => wanted && setProblem(explain(error)),
    );
    return () => {
      wanted = false;
    };
  }, [client, chat, position, edited]);
  if (problem) return <Complaint {...problem} />;
  if (!revisions) return <p aria-live="polite">One moment…</p>;
  return (
    <ol className="revisions" aria-label="Versions, the first one first">
      {revisions.map((revision, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: versions never move
        <li key={i}>
          <time dateTime={new Date(revision.sent_at).toISOString()}>{wholeTime(revision.sent_at)}</time>
          <MessageText text={revision.text} chat={chat} />
        </li>
      ))}
    </ol>
  );
}
