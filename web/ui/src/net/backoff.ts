/** Milliseconds before try number `attempt` (0 = first retry): half a second doubling to fifteen, with jitter so
 * that several tabs don't come back in one step. `dice` is in [0, 1). */
export function backoff(attempt: number, dice: number): number {
  const whole = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (0.75 + dice / 2));
}
