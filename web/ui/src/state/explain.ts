import { LineLost, Refused } from "../net/connection";
import type { Problem } from "./pending";

/** A failure as the page shows it. */
export function explain(error: unknown): Problem {
  if (error instanceof Refused) {
    return { message: error.message, hint: waitHint(error) };
  }
  if (error instanceof LineLost) {
    return {
      message: error.message,
      hint: "Is livechat-node still running? This page reconnects by itself.",
    };
  }
  return { message: "Something unexpected went wrong on this page.", hint: "Reload it and try again." };
}

function waitHint(error: Refused): string {
  if (error.hint || error.retryAfter === null) return error.hint;
  return `Try again in ${inWords(error.retryAfter)}.`;
}

/** Seconds as people say them. */
export function inWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 3600)} h`;
}
