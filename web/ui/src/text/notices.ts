import type { Message, Notice, Person, Role } from "../api";
import { span } from "./deeds";
import { duration } from "./sound";

/** A sentence in pieces: names and titles are somebody else's text, which the page keeps apart from its own words. */
export type Piece = string | { readonly theirs: string };

const AS: Record<Role, string> = { member: "a member", admin: "an admin", owner: "an owner" };

/** What happened, where nobody said anything; null where somebody did. No full stop. `me` is the own account. */
export function happened({ body, author, author_name }: Message, me: string): Piece[] | null {
  const who: Piece = author === me ? "You" : { theirs: author_name };
  switch (body.type) {
    case "timer":
      if (body.seconds === 0) return [who, " let messages stay"];
      return [who, ` let messages disappear after ${span(body.seconds)}`];
    case "notice":
      return noticeWords(body.notice, author, who, me);
    default:
      return null;
  }
}

/** What a message says in one line. */
export function inOneLine(message: Message, me: string): string {
  switch (message.body.type) {
    case "text":
      return message.body.text.slice(0, 200);
    case "file":
      return message.body.voice
        ? `🎤 Voice note, ${duration(message.body.voice.millis)}`
        : `📎 ${message.body.name}`;
    case "deleted":
      return "Message deleted";
    case "needs_newer_version":
      return "Needs a newer version";
    default:
      return plain(happened(message, me) ?? []);
  }
}

function noticeWords(notice: Notice, author: string, who: Piece, me: string): Piece[] {
  const own = author === me;
  switch (notice.what) {
    case "joined":
      return own
        ? ["You made the group ", { theirs: notice.title }]
        : [who, " added you to the group ", { theirs: notice.title }];
    case "added":
      return [who, " added ", ...people(notice.who, me)];
    case "removed":
      return [who, " removed ", ...people(notice.who, me)];
    case "left":
      return [notice.who.account === me ? "You" : { theirs: notice.who.username }, " left"];
    case "role_changed":
      if (notice.who.account === author && notice.role === "member") return [who, " laid the role down"];
      return [who, " made ", ...people([notice.who], me), ` ${AS[notice.role]}`];
    case "title_changed":
      return [who, " changed the title to ", { theirs: notice.title }];
    case "commit_refused":
      return [who, " tried a change that the rules of the group don't allow. Every device refused it"];
    case "not_done":
      return ["Not done: ", { theirs: notice.about }];
    case "forked":
      return ["The relay showed two orders of changes: members may see different groups. It was noted"];
    case "devices_added":
      return [who, notice.count === 1 ? " added a device" : ` added ${notice.count} devices`];
    case "devices_removed":
      return [who, notice.count === 1 ? " removed a device" : ` removed ${notice.count} devices`];
    case "rewound":
      return ["The relay has another order of changes. What admins changed without it was taken back"];
  }
}

function people(who: readonly Person[], me: string): Piece[] {
  return who.flatMap(({ account, username }, i) => {
    const name = account === me ? "you" : { theirs: username };
    if (i === 0) return [name];
    return [i === who.length - 1 ? " and " : ", ", name];
  });
}

/** The pieces as one text. */
export function plain(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === "string" ? piece : piece.theirs)).join("");
}
