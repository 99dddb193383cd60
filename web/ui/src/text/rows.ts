import type { Message } from "../api";
import type { Pending } from "../state/pending";
import { sameDay } from "./dates";

/** One line of the chat. Separators belong to the message below them, so that rows and messages count alike and the
 * virtual list keeps its place when older ones come in above. */
export interface Row {
  readonly key: string;
  /** Unix milliseconds shown. */
  readonly at: number;
  readonly own: boolean;
  readonly content: { kind: "message"; message: Message } | { kind: "pending"; pending: Pending };
  /** A new day begins here. */
  readonly newDay: boolean;
  /** The first one that was unread when the chat was opened. */
  readonly firstUnread: boolean;
  /** Whether one was mentioned from there on. */
  readonly mentioned: boolean;
  /** First and last of one author's messages in quick succession. */
  readonly opens: boolean;
  readonly closes: boolean;
}

/** Messages closer together than this stand as one block. */
const TOGETHER = 5 * 60_000;

/** When a message counts as sent: the author's clock may be wrong, ours puts it where it came in. */
export function shownTime(message: Message): number {
  return message.own ? message.received_at : Math.min(message.sent_at, message.received_at);
}

/** Whether it stands in a bubble; what only happened stands in a line of its own. */
export function isSpeech({ body }: Message): boolean {
  return body.type !== "notice" && body.type !== "timer";
}

/** The chat as rows, oldest first. `unreadFrom` is the position of the first unread message. */
export function rows(
  messages: readonly Message[],
  pending: readonly Pending[],
  unreadFrom: number | null,
): Row[] {
  const stored = new Set(messages.map((m) => m.id));
  const plain = [
    ...messages.map((message) => ({
      key: message.id,
      at: shownTime(message),
      own: message.own,
      author: message.author,
      content: { kind: "message" as const, message },
    })),
    ...pending
      .filter((p) => !stored.has(p.id))
      .map((p) => ({
        key: p.id,
        at: p.written,
        own: true,
        author: "",
        content: { kind: "pending" as const, pending: p },
      })),
  ];
  const breaks = plain.map((row, i) => {
    const above = plain[i - 1];
    const newDay = !above || !sameDay(above.at, row.at);
    const firstUnread = row.content.kind === "message" && row.content.message.position === unreadFrom;
    const gap = row.content.kind === "message" && row.content.message.gap;
    const speech = (r: (typeof plain)[number]) => r.content.kind === "pending" || isSpeech(r.content.message);
    const sameAuthor = above && above.own === row.own && (row.own || above.author === row.author);
    const together = sameAuthor && speech(above) && speech(row);
    const opens = newDay || firstUnread || gap || !together || row.at - above.at > TOGETHER;
    return { newDay, firstUnread, opens };
  });
  return plain.map(({ author: _, ...row }, i) => ({
    ...row,
    newDay: breaks[i]?.newDay ?? false,
    firstUnread: breaks[i]?.firstUnread ?? false,
    mentioned:
      (breaks[i]?.firstUnread ?? false) &&
      messages.some((m) => m.mentions_me && m.position >= (unreadFrom ?? 0)),
    opens: breaks[i]?.opens ?? true,
    closes: breaks[i + 1]?.opens ?? true,
  }));
}

/** The position of the first of the last `unread` messages of others, as far as loaded. */
export function unreadStart(messages: readonly Message[], unread: number): number | null {
  if (unread === 0) return null;
  const others = messages.filter((m) => !m.own);
  return others[Math.max(0, others.length - unread)]?.position ?? null;
}
