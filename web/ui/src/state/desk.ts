import type { Request } from "../api";
import { type Answer, LineLost, Refused, type Surroundings } from "../net/connection";
import type { Store } from "./store";

/** What each part of the client works with. */
export interface Desk {
  readonly store: Store;
  readonly around: Surroundings;
  /** Asks the node. Rejects with {@link Refused} or {@link LineLost}. */
  ask<R extends Request>(request: R): Promise<Answer<R["type"]>>;
}

/** A lost line brings everything back with the next one; a refusal shows where its answer is missing. */
export async function quietly(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LineLost || error instanceof Refused)) throw error;
  }
}
