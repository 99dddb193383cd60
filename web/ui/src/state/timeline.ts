import type { Delivery, HistoryPage, Message } from "../api";

/** What is known of one conversation's history: a stretch without holes, oldest first. */
export interface Timeline {
  readonly messages: readonly Message[];
  /** Whether the node has older ones. */
  readonly more: boolean;
  /** Whether the node has newer ones: somebody jumped up there. Else the stretch ends with the newest message. */
  readonly newer: boolean;
}

const STEPS: Record<Delivery, number> = { queued: 0, accepted: 1, delivered: 2, read: 3 };

/** The later of two views of one message. Delivery only moves forward, whatever order answers and events come in. */
export function later(known: Message, news: Message): Message {
  if (known.delivery && news.delivery && STEPS[known.delivery] > STEPS[news.delivery]) {
    return { ...news, delivery: known.delivery };
  }
  return news;
}

/** Adds messages by id, in order of position. */
function union(known: readonly Message[], news: readonly Message[]): Message[] {
  const byId = new Map(known.map((m) => [m.id, m]));
  for (const m of news) {
    const old = byId.get(m.id);
    byId.set(m.id, old ? later(old, m) : m);
  }
  return [...byId.values()].sort((a, b) => a.position - b.position);
}

/** Takes in the newest page. What is known stays when it touches the page; else there would be a hole. */
export function withNewest(known: Timeline | undefined, page: HistoryPage): Timeline {
  const first = page.messages[0];
  if (!known || !first)
    return { messages: known && !page.more ? known.messages : page.messages, more: page.more, newer: false };
  const touches = known.messages.some((m) => m.position >= first.position);
  const kept = touches || !page.more ? known.messages : [];
  const messages = union(kept, page.messages);
  const reachesFurther = (messages[0]?.position ?? 0) < first.position;
  return { messages, more: reachesFurther ? known.more : page.more, newer: false };
}

/** Takes in a page older than everything known. */
export function withOlder(known: Timeline, page: HistoryPage): Timeline {
  return { ...known, messages: union(known.messages, page.messages), more: page.more };
}

/** Takes in a page newer than everything known. */
export function withNewer(known: Timeline, page: HistoryPage): Timeline {
  return { ...known, messages: union(known.messages, page.messages), newer: page.newer };
}

/** Takes a message out, and its words out of what quotes it. */
export function without(known: Timeline, id: string): Timeline {
  const messages = known.messages.filter((m) => m.id !== id);
  return {
    ...known,
    messages: messages.map((m) =>
      m.reply_to?.id === id ? { ...m, reply_to: { ...m.reply_to, position: null, text: null } } : m,
    ),
  };
}

/** Takes in one message, new or changed. What isn't loaded stays unloaded, and so does what is behind a hole. */
export function withMessage(
  known: Timeline | undefined,
  message: Message,
  added: boolean,
): Timeline | undefined {
  if (!known) return undefined;
  const there = known.messages.some((m) => m.id === message.id);
  if (!there && (!added || known.newer)) return known;
  return { ...known, messages: union(known.messages, [message]) };
}
