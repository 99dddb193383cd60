/** A piece of text: plain, or an address that was written in it. */
export type Piece = { readonly text: string; readonly href?: string };

const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]+/giu;
const CLOSERS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** Finds web addresses. What is shown is what was written; only http and https become links. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = withoutTail(match[0]);
    const href = address(shown);
    if (!href) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index) });
    pieces.push({ text: shown, href });
    done = match.index + shown.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** Leaves out the punctuation of the sentence around an address, and a bracket that it doesn't open itself. */
function withoutTail(found: string): string {
  let shown = found;
  for (;;) {
    const last = shown.at(-1) ?? "";
    const opener = CLOSERS[last];
    const unopened = opener !== undefined && count(shown, last) > count(shown, opener);
    if (!unopened && !/[.,;:!?…”’»]/u.test(last)) return shown;
    shown = shown.slice(0, -1);
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function address(text: string): string | null {
  try {
    const url = new URL(text);
    const web = url.protocol === "http:" || url.protocol === "https:";
    // "https://bank.example@evil.example" reads as one place and leads to another.
    return web && url.username === "" && url.password === "" ? url.href : null;
  } catch {
    return null;
  }
}
