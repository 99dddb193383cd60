import type { Handover, HistorySize } from "../api";
import type { Desk } from "./desk";

/** Names a handover: its device, or this one. */
export function handoverKey({ device }: Pick<Handover, "device">): string {
  return device ?? "here";
}

/** History on its way to another device of the account, or from one to this. */
export class Handovers {
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** What is over stays until somebody has seen it; the node has forgotten it. */
  async fetchAll(): Promise<void> {
    const { handovers } = await this.desk.ask({ type: "handovers" });
    this.desk.store.setState(({ handovers: known }) => ({
      handovers: Object.fromEntries([
        ...Object.entries(known).filter(([, h]) => h.state.state === "done"),
        ...handovers.map((h) => [handoverKey(h), h] as const),
      ]),
    }));
  }

  take(handover: Handover): void {
    if (handover.state.state === "cancelled") {
      this.forget(handover);
      return;
    }
    this.desk.store.setState(({ handovers }) => ({
      handovers: { ...handovers, [handoverKey(handover)]: handover },
    }));
  }

  async size(): Promise<HistorySize> {
    return this.desk.ask({ type: "history_size" });
  }

  async give(device: string): Promise<void> {
    this.take(await this.desk.ask({ type: "give_history", device }));
  }

  /** Stops it, or takes what is over off the page. */
  async dismiss(handover: Handover): Promise<void> {
    if (handover.state.state !== "done") {
      await this.desk.ask({ type: "cancel_handover", device: handover.device });
    }
    this.forget(handover);
  }

  private forget(handover: Handover): void {
    this.desk.store.setState(({ handovers }) => {
      const { [handoverKey(handover)]: _, ...others } = handovers;
      return { handovers: others };
    });
  }
}
