import { useState } from "react";
import { explain } from "./explain";
import type { Problem } from "./pending";

/** Something that is asked for by a form: whether it runs, and why it last failed. */
export interface Submit {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** Runs `work`, one at a time; false when it failed or another one still runs. `words` says a failure. */
  submit(work: () => Promise<unknown>, words?: (error: unknown) => Problem): Promise<boolean>;
}

export function useSubmit(): Submit {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  async function submit(work: () => Promise<unknown>, words = explain): Promise<boolean> {
    if (busy) return false;
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(words(error));
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { busy, problem, submit };
}
