import type { Error as Refusal, Restored } from "../api";
import { Refused } from "../net/connection";

/** Letters and digits that are hard to mistake for each other: thirty-two, so that five bits make one. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
/** Letters of a secret: 130 bits. */
const LENGTH = 26;

/** A secret that nobody guesses, in groups of five. */
export function newSecret(): string {
  const dice = crypto.getRandomValues(new Uint8Array(LENGTH));
  const letters = [...dice].map((d) => LETTERS[d % LETTERS.length]).join("");
  return letters.match(/.{1,5}/g)?.join("-") ?? letters;
}

/** A sealed backup. */
export async function sealed(secret: string): Promise<Blob> {
  const answer = await fetch("/api/backup", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ secret }),
  });
  return (await accepted(answer)).blob();
}

/** Gives a backup back. */
export async function giveBack(file: Blob, secret: string): Promise<Restored> {
  const bytes = new TextEncoder().encode(secret.trim());
  const answer = await fetch("/api/restore", {
    method: "POST",
    headers: { "Livechat-Secret": btoa(String.fromCharCode(...bytes)) },
    body: file,
  });
  return (await accepted(answer)).json() as Promise<Restored>;
}

async function accepted(answer: Response): Promise<Response> {
  if (answer.ok) return answer;
  if (answer.status === 409) throw new Refused((await answer.json()) as Refusal);
  throw new Refused({
    code: "internal",
    message: "Your node didn't take that.",
    hint: "Reload the page; then try again.",
    retry_after: null,
  });
}
