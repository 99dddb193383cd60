import type { GroupLink, Joining, JoinRefusal } from "../api";
import { dayAndTime } from "./dates";

/** How long a link may stay open, for a choice. */
export const EXPIRIES = [
  { seconds: "0", words: "until revoked" },
  { seconds: "3600", words: "for an hour" },
  { seconds: "86400", words: "for a day" },
  { seconds: "604800", words: "for a week" },
] as const;

/** Whether a link opens, for whom and how long. */
export function linkState({ state, uses, used, expires_at }: GroupLink): string {
  const words = { pending: "Opens in a moment", open: "Open", expired: "Expired", used_up: "Used up" }[state];
  const count = uses === null ? "" : `, ${used} of ${uses} used`;
  const until = expires_at === null ? "" : `, until ${dayAndTime(expires_at * 1_000)}`;
  return `${words}${count}${until}`;
}

const WHY: Record<JoinRefusal, string> = {
  revoked: "The link was revoked.",
  expired: "The link has expired.",
  used_up: "The link is used up.",
  full: "The group is full.",
  kept_out: "You were removed from this group. Somebody in it has to invite you.",
  not_allowed: "Those who made the link may not let anybody in any more.",
  untrusted: "The relay shows other people under the names in the link. Nothing was told to them.",
};

/** How it stands with a door at which one knocked. */
export function joinState({ state, doorkeepers }: Joining): string {
  switch (state.state) {
    case "refused":
      return WHY[state.why];
    case "joined":
      return "You are in.";
    case "waiting": {
      const whom = doorkeepers.length === 0 ? "somebody in the lobby" : doorkeepers.join(" or ");
      return `Waiting for ${whom} to let you in.`;
    }
  }
}
