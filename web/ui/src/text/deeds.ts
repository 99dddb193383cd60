import type { Conversation } from "../api";

/** Emoji that are one step away. */
export const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🎉"] as const;

/** Seconds after which messages may disappear, and how people say it. */
export const TIMERS: readonly (readonly [number, string])[] = [
  [0, "Never"],
  [5 * 60, "5 minutes"],
  [3_600, "1 hour"],
  [86_400, "1 day"],
  [7 * 86_400, "1 week"],
  [28 * 86_400, "4 weeks"],
];

/** For how long a chat may be silent, in milliseconds. */
export const SILENCES: readonly (readonly [number, string])[] = [
  [3_600_000, "Mute for 1 hour"],
  [8 * 3_600_000, "Mute for 8 hours"],
  [7 * 86_400_000, "Mute for 1 week"],
];

/** A span of time as people say it; what isn't in the menu comes from other programs. */
export function span(seconds: number): string {
  const known = TIMERS.find(([s]) => s === seconds && s > 0);
  if (known) return known[1];
  const units: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  const [size, name] = units.find(([s]) => seconds >= s) ?? [1, "second"];
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

/** Whether a chat is silent now. */
export function muted({ muted_until }: Conversation, now: number): boolean {
  return muted_until !== null && muted_until > now;
}

/**
 * Where a readable copy of a chat, or of all, is saved from; with the files that are on this device it is an archive.
 * Messages that disappear are not in it.
 */
export function exportOf(conversation: string | null, format: "markdown" | "jsonl", files = false): string {
  const which = conversation ? `&conversation=${conversation}` : "";
  return `/api/export?format=${format}${which}${files ? "&files=true" : ""}`;
}
