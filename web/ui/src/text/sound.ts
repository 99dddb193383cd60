/** Bars of a voice note: as many as a message may hold. */
export const BARS = 64;

/** How long something plays: minutes and seconds, or hours too. A second that was begun counts. */
export function duration(millis: number): string {
  const seconds = Math.ceil(Math.max(0, millis) / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** How loud samples between -1 and 1 are together: 0 … 255, as ears count. */
export function loudness(samples: Float32Array): number {
  const mean = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  return Math.min(255, Math.round(360 * Math.sqrt(Math.sqrt(mean))));
}

/** Many levels as at most {@link BARS}: the loudest of each stretch. Never none. */
export function bars(levels: readonly number[]): number[] {
  const count = Math.min(BARS, levels.length);
  if (count === 0) return [0];
  return Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * levels.length) / count);
    const to = Math.floor(((bar + 1) * levels.length) / count);
    return Math.max(...levels.slice(from, to));
  });
}

/** Levels as the node reads them beside a file: two hexadecimal digits each. */
export function hexLevels(levels: readonly number[]): string {
  return levels.map((level) => level.toString(16).padStart(2, "0")).join("");
}
