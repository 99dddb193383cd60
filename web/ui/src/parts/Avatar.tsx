import type { CSSProperties } from "react";
import { hueOf } from "../text/groups";

/** A letter on a colour of its own; decoration only, the name stands beside it. */
export function Avatar({ name, seed, size }: { name: string; seed: string; size?: "large" | "small" }) {
  const [letter = "?"] = [...name];
  return (
    <span
      className={size ? `avatar ${size}` : "avatar"}
      style={{ "--hue": hueOf(seed) } as CSSProperties}
      aria-hidden="true"
    >
      {letter.toUpperCase()}
    </span>
  );
}
