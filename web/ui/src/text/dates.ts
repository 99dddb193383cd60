const DAY = 24 * 3_600_000;

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Whether two times fall on one calendar day here. */
export function sameDay(a: number, b: number): boolean {
  return startOfDay(a) === startOfDay(b);
}

/** Calendar days from `at` to `now`; summer time makes days of 23 and 25 hours. */
function daysAgo(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY);
}

/** The separator above a day: "Today", "Yesterday", "Monday", "3 May 2026". */
export function dayLabel(at: number, now: number): string {
  const ago = daysAgo(at, now);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  if (ago > 1 && ago < 7) return new Intl.DateTimeFormat(undefined, { weekday: "long" }).format(at);
  return new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(at);
}

/** Hours and minutes. */
export function timeOfDay(at: number): string {
  return new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(at);
}

/** As short as the conversation list needs: time today, else the day. */
export function listTime(at: number, now: number): string {
  const ago = daysAgo(at, now);
  if (ago === 0) return timeOfDay(at);
  if (ago === 1) return "Yesterday";
  if (ago > 1 && ago < 7) return new Intl.DateTimeFormat(undefined, { weekday: "short" }).format(at);
  return new Intl.DateTimeFormat(undefined, { dateStyle: "short" }).format(at);
}

/** A day in the future or long ago. */
export function wholeDay(at: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(at);
}

/** Everything, for a tooltip. */
export function wholeTime(at: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" }).format(at);
}

/** Day and time, short. */
export function dayAndTime(at: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(at);
}
