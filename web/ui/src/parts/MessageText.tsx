import { Fragment, type ReactNode, useMemo } from "react";
import { useMembers } from "../state/members";
import { emojiOnly } from "../text/emoji";
import { linkify } from "../text/linkify";
import { mentionsIn } from "../text/mentions";

/** What somebody wrote in a chat, as text nodes, links and mentions: nothing in it can become markup. */
export function MessageText({ text, chat }: { text: string; chat: string }) {
  if (emojiOnly(text)) return <p className="message-text jumbo">{text}</p>;
  return (
    <p className="message-text" dir="auto">
      {text.includes("@") ? <WithMentions text={text} chat={chat} /> : linked(text, (piece) => piece)}
    </p>
  );
}

/** The text with its links, what stands between them as `plain` says. */
function linked(text: string, plain: (piece: string, at: number) => ReactNode): ReactNode {
  let at = 0;
  return linkify(text).map((piece) => {
    const key = at;
    at += piece.text.length;
    return piece.href ? (
      <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer">
        {piece.text}
      </a>
    ) : (
      <Fragment key={key}>{plain(piece.text, key)}</Fragment>
    );
  });
}

function WithMentions({ text, chat }: { text: string; chat: string }) {
  const members = useMembers(chat);
  return useMemo(() => {
    // What stands before a mention counts, so they are looked for in the whole text.
    const mentions = mentionsIn(
      text,
      members.map((m) => m.username),
    );
    const own = members.find((m) => m.own)?.username;
    return linked(text, (piece, at) => {
      const parts: ReactNode[] = [];
      let done = at;
      for (const { start, end, username } of mentions) {
        if (start < at || end > at + piece.length) continue;
        parts.push(
          text.slice(done, start),
          <bdi key={start} className={username === own ? "mention me" : "mention"}>
            {text.slice(start, end)}
          </bdi>,
        );
        done = end;
      }
      parts.push(text.slice(done, at + piece.length));
      return parts;
    });
  }, [text, members]);
}
