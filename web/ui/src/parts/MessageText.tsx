import { Fragment } from "react";
import { emojiOnly } from "../text/emoji";
import { linkify } from "../text/linkify";

/** What somebody wrote, as text nodes and links: nothing in it can become markup. */
export function MessageText({ text }: { text: string }) {
  if (emojiOnly(text)) return <p className="message-text jumbo">{text}</p>;
  let at = 0;
  return (
    <p className="message-text" dir="auto">
      {linkify(text).map((piece) => {
        const key = at;
        at += piece.text.length;
        return piece.href ? (
          <a key={key} href={piece.href} target="_blank" rel="noopener noreferrer">
            {piece.text}
          </a>
        ) : (
          <Fragment key={key}>{piece.text}</Fragment>
        );
      })}
    </p>
  );
}
