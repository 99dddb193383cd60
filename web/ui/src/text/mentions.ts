import type { Member } from "../state/members";

/** A stretch of a text that calls somebody by `@name`. */
export interface Mention {
  readonly start: number;
  readonly end: number;
  /** The username as the node spells it. */
  readonly username: string;
}

const LETTER_OR_DIGIT = /^[\p{Alphabetic}\p{N}]$/u;
/** The word with `@` that ends where one types: what may be part of a name, from the `@` on. */
const BEING_WRITTEN = /@[\p{Alphabetic}\p{M}\p{N}_.-]*$/u;
/** Most names offered at once. */
const OFFERED = 6;

/** Whoever of `usernames` a text calls, in order. Of two names that fit at one place the longer one is meant. */
export function mentionsIn(text: string, usernames: readonly string[]): Mention[] {
  const names = new Map(usernames.filter((n) => n !== "").map((n) => [n.toLowerCase(), n]));
  const lengths = [...new Set([...names.keys()].map((n) => n.length))].sort((a, b) => b - a);
  const found: Mention[] = [];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (follows(text, at) || isInAddress(text, at)) continue;
    for (const length of lengths) {
      const end = at + 1 + length;
      const username = names.get(text.slice(at + 1, end).toLowerCase());
      if (username === undefined || goesOn(text, end)) continue;
      found.push({ start: at, end, username });
      break;
    }
  }
  return found;
}

/** Whether a letter or digit stands right before a place. */
function follows(text: string, at: number): boolean {
  return LETTER_OR_DIGIT.test([...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "");
}

/** Whether a place is within a web address. */
function isInAddress(text: string, at: number): boolean {
  return /https?:\/\/[^\s\p{Cc}<>"'`]*$/iu.test(text.slice(0, at));
}

/** "@bob." ends a sentence, "@bob.smith" is somebody else. */
function goesOn(text: string, end: number): boolean {
  const [next = "", afterwards = ""] = text.slice(end, end + 4);
  if (next === "." || next === "-") return LETTER_OR_DIGIT.test(afterwards);
  return next === "_" || LETTER_OR_DIGIT.test(next);
}

/** A name that is being written, and who may be meant: those whose username begins so before those otherwise called so. */
export interface Offer {
  /** Where the `@` stands. */
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly Member[];
}

/** Whom of the others to offer to somebody who types at `caret`; null when nobody. A name that stands there whole needs no offer. */
export function offer(text: string, caret: number, people: readonly Member[]): Offer | null {
  const start = BEING_WRITTEN.exec(text.slice(0, caret))?.index;
  if (start === undefined || follows(text, start)) return null;
  const query = text.slice(start + 1, caret).toLowerCase();
  const begins = (name: string) => name.toLowerCase().startsWith(query);
  const all = people.filter((p) => !p.own);
  const first = all.filter((p) => begins(p.username));
  const others = all.filter((p) => !first.includes(p) && p.displayName?.split(/\s+/u).some(begins));
  const candidates = [...first, ...others].slice(0, OFFERED);
  const only = candidates.length === 1 ? candidates[0] : undefined;
  if (candidates.length === 0 || only?.username.toLowerCase() === query) return null;
  return { start, end: caret, candidates };
}

/** The text with a name put in place of what was typed of it, and where one goes on writing. */
export function insertMention(
  text: string,
  { start, end }: Pick<Offer, "start" | "end">,
  username: string,
): { text: string; caret: number } {
  const rest = text.slice(end);
  const put = `@${username}${/^\s/u.test(rest) ? "" : " "}`;
  return { text: text.slice(0, start) + put + rest, caret: start + username.length + 2 };
}
