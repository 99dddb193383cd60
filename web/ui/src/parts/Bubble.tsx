import { type CSSProperties, memo, useState } from "react";
import type { Message, Quote } from "../api";
import { useClient, usePart } from "../state/hooks";
import type { Pending } from "../state/pending";
import { ownAccount } from "../state/store";
import { dayLabel, timeOfDay, wholeTime } from "../text/dates";
import { span } from "../text/deeds";
import { hueOf } from "../text/groups";
import { happened } from "../text/notices";
import { isSpeech, type Row } from "../text/rows";
import { Avatar } from "./Avatar";
import { FileBody } from "./FileBody";
import { Clock } from "./icons";
import { MessageMenu } from "./MessageMenu";
import { MessageText } from "./MessageText";
import { Pieces } from "./Pieces";
import { Ticks } from "./Ticks";

interface Props {
  row: Row;
  now: number;
  chat: string;
  last: boolean;
  group: boolean;
  /** Whether nothing can be written here any more. */
  closed: boolean;
  /** Whether somebody looked for it. */
  found: boolean;
}

/** A row of the chat: separators, then the bubble. */
export const Bubble = memo(function Bubble({ row, now, chat, last, group, closed, found }: Props) {
  const { content } = row;
  const message = content.kind === "message" ? content.message : null;
  const answers = content.kind === "pending" ? content.pending.answers : undefined;
  const [deeds, setDeeds] = useState(false);
  const classes = [
    "row",
    row.own ? "own" : "other",
    row.opens && "opens",
    row.closes && "closes",
    last && "last",
    group && "in-group",
    found && "found",
    message?.mentions_me && "mentions-me",
  ];
  return (
    <div className={classes.filter(Boolean).join(" ")}>
      {row.newDay && (
        <div className="day">
          <span>{dayLabel(row.at, now)}</span>
        </div>
      )}
      {row.firstUnread && (
        <div className="unread-line">
          {row.mentioned ? "New messages, you were mentioned" : "New messages"}
        </div>
      )}
      {message?.gap && <div className="gap">Something is missing here. It may still arrive.</div>}
      {message && <Happened message={message} />}
      {(!message || isSpeech(message)) && (
        <div className="bubble-line">
          {group && message && !row.own && row.opens && (
            <Avatar name={message.author_name} seed={message.author} size="small" />
          )}
          <article
            className="bubble"
            onContextMenu={(event) => {
              // Links and marked words keep the browser's own menu.
              if (!message || event.target instanceof HTMLAnchorElement || !getSelection()?.isCollapsed)
                return;
              event.preventDefault();
              setDeeds(true);
            }}
          >
            {message && !row.own && <Author message={message} group={group} shown={row.opens} />}
            {found && <span className="visually-hidden">Found: </span>}
            {row.own && <span className="visually-hidden">You: </span>}
            {message?.mentions_me && <span className="visually-hidden">Mentions you: </span>}
            {message?.forwarded && <p className="label">Forwarded</p>}
            {message?.reply_to && <Quoted quote={message.reply_to} />}
            {answers && (
              <Quoted
                quote={{
                  author_name: answers.author_name,
                  text: answers.body.type === "text" ? answers.body.text : null,
                }}
              />
            )}
            {message?.body.type === "deleted" && (
              <p className="message-text newer">This message was deleted.</p>
            )}
            {message?.body.type === "text" && <MessageText text={message.body.text} chat={chat} />}
            {message?.body.type === "file" && <FileBody chat={chat} message={message} file={message.body} />}
            {message?.body.type === "needs_newer_version" && (
              <p className="message-text newer">This message needs a newer version of LiveChat.</p>
            )}
            {content.kind === "pending" && <MessageText text={content.pending.text} chat={chat} />}
            <footer>
              {message && message.timer !== null && <Fading message={message} now={now} />}
              {message && message.edited_at !== null && (
                <span title={wholeTime(message.edited_at)}>edited</span>
              )}
              <time dateTime={new Date(row.at).toISOString()} title={wholeTime(row.at)}>
                {timeOfDay(row.at)}
              </time>
              {message?.delivery && <Ticks step={message.delivery} group={group} />}
              {content.kind === "pending" && !content.pending.problem && <Ticks step="handing" />}
            </footer>
          </article>
          {message && (
            <MessageMenu chat={chat} message={message} closed={closed} open={deeds} onOpenChange={setDeeds} />
          )}
        </div>
      )}
      {message && message.reactions.length > 0 && <Reactions chat={chat} message={message} closed={closed} />}
      {content.kind === "pending" && <Failure chat={chat} pending={content.pending} />}
    </div>
  );
});

/** Whose it is. In a group each has a colour besides, and the name is said again with each bubble. */
function Author({ message, group, shown }: { message: Message; group: boolean; shown: boolean }) {
  const { author, author_name } = message;
  if (!shown) return group ? <bdi className="visually-hidden">{author_name}: </bdi> : null;
  const style = group ? ({ "--hue": hueOf(author) } as CSSProperties) : undefined;
  return (
    <bdi className="author" style={style}>
      {author_name}
    </bdi>
  );
}

/** A line for what nobody said, but somebody did. */
function Happened({ message }: { message: Message }) {
  const pieces = happened(message, usePart(ownAccount));
  if (!pieces) return null;
  return (
    <p className="notice">
      {message.body.type === "timer" && <Clock />} <Pieces pieces={pieces} />.
    </p>
  );
}

/** What a message answers. */
function Quoted({ quote }: { quote: Pick<Quote, "author_name" | "text"> }) {
  return (
    <blockquote className="quote">
      <bdi className="quote-author">{quote.author_name}</bdi>
      <span className="quote-text" dir="auto">
        {quote.text ?? "This message isn't there any more."}
      </span>
    </blockquote>
  );
}

/** Says that a message disappears, and when. */
function Fading({ message, now }: { message: Message; now: number }) {
  const left = message.expires_at === null ? null : Math.max(0, message.expires_at - now) / 1000;
  const words =
    left === null
      ? `Disappears ${span(message.timer ?? 0)} after being read`
      : `Disappears within ${span(Math.max(60, left))}`;
  return (
    <span className="fading" role="img" aria-label={words} title={words}>
      <Clock />
    </span>
  );
}

/** Who put which emoji there; a click joins or leaves. */
function Reactions({ chat, message, closed }: { chat: string; message: Message; closed: boolean }) {
  const client = useClient();
  return (
    <ul className="reactions" aria-label="Reactions">
      {message.reactions.map(({ emoji, own, by }) => (
        <li key={emoji}>
          <button
            type="button"
            className="reaction"
            aria-pressed={own}
            disabled={closed}
            aria-label={`${emoji} ${by.length > 1 ? `${by.length} ` : ""}by ${by.join(", ")}`}
            title={by.join(", ")}
            onClick={() =>
              void client.does({
                type: "react",
                conversation: chat,
                position: message.position,
                emoji,
                on: !own,
              })
            }
          >
            {emoji} {by.length > 1 && by.length}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Failure({ chat, pending }: { chat: string; pending: Pending }) {
  const client = useClient();
  if (!pending.problem) return null;
  return (
    <div className="failure" role="alert">
      <p>
        <strong>Not sent.</strong> {pending.problem.message} {pending.problem.hint}
      </p>
      <button type="button" className="link" onClick={() => client.outgoing.retry(chat, pending.id)}>
        Try again
      </button>
      <button type="button" className="link" onClick={() => client.outgoing.takeBack(chat, pending.id)}>
        Edit
      </button>
    </div>
  );
}
