import { useEffect, useState } from "react";
import { CopyIcon } from "./icons";

/** Copies when clicked and at no other time (seed B16). */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2_500);
    return () => clearTimeout(timer);
  }, [state]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
    } catch {
      setState("failed");
    }
  }

  return (
    <button type="button" className="button" onClick={() => void copy()}>
      <CopyIcon />
      <span aria-live="polite">
        {state === "idle" && `Copy ${what}`}
        {state === "copied" && "Copied"}
        {state === "failed" && "Couldn't copy: select it by hand"}
      </span>
    </button>
  );
}
