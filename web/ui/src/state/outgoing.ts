import type { Message } from "../api";
import { LineLost } from "../net/connection";
import type { Composing } from "./composing";
import type { Desk } from "./desk";
import { explain } from "./explain";
import { newMessageId, type Pending } from "./pending";

/** Messages on their way from the composer to the node's disk. */
export class Outgoing {
  private readonly desk: Desk;
  private readonly composing: Composing;
  private readonly handed: (conversation: string, message: Message) => void;
  private readonly handingOver = new Set<string>();

  /** `handed` learns of each message that the node has. */
  constructor(desk: Desk, composing: Composing, handed: (conversation: string, message: Message) => void) {
    this.desk = desk;
    this.composing = composing;
    this.handed = handed;
  }

  /** Takes a message over from the composer. It stays in sight until the node has it on disk, however long that takes. */
  send(conversation: string, text: string): void {
    const about = this.desk.store.getState().abouts[conversation];
    const answers = about?.kind === "reply" ? about.message : undefined;
    const message: Pending = {
      id: newMessageId(),
      text,
      written: this.desk.around.now(),
      ...(answers && { answers }),
    };
    this.composing.setAbout(conversation, null);
    this.setPending(conversation, (list) => [...list, message]);
    void this.handOver(conversation);
  }

  /** Tries a refused message once more. */
  retry(conversation: string, id: string): void {
    this.setPending(conversation, (list) =>
      list.map(({ problem, ...p }) => (p.id !== id && problem ? { ...p, problem } : p)),
    );
    void this.handOver(conversation);
  }

  /** Drops a refused message and gives its text back. */
  takeBack(conversation: string, id: string): void {
    const { pending, drafts } = this.desk.store.getState();
    const message = pending[conversation]?.find((p) => p.id === id);
    if (!message) return;
    const draft = drafts[conversation] ?? "";
    this.composing.setDraft(conversation, draft ? `${message.text}\n${draft}` : message.text);
    this.arrived(conversation, id);
  }

  /** The node has it: it waits no more. */
  arrived(conversation: string, id: string): void {
    this.setPending(conversation, (list) => list.filter((p) => p.id !== id));
  }

  /** Hands over everything that waited for a line. */
  handOverAll(): void {
    for (const conversation of Object.keys(this.desk.store.getState().pending)) {
      void this.handOver(conversation);
    }
  }

  /** Hands over what waits in one conversation, one after the other, so that the order stays. */
  private async handOver(conversation: string): Promise<void> {
    if (this.handingOver.has(conversation)) return;
    this.handingOver.add(conversation);
    try {
      for (;;) {
        const next = this.next(conversation);
        if (!next) return;
        const { type: _, ...message } = await this.desk.ask({
          type: "send",
          conversation,
          text: next.text,
          id: next.id,
          reply_to: next.answers?.position ?? null,
        });
        this.handed(conversation, message);
        this.arrived(conversation, next.id);
      }
    } catch (error) {
      this.notHandedOver(conversation, error);
    } finally {
      this.handingOver.delete(conversation);
    }
  }

  /** Without a line everything waits for the next one; a refusal concerns the first message alone. */
  private notHandedOver(conversation: string, error: unknown): void {
    if (error instanceof LineLost) return;
    const problem = explain(error);
    const refused = this.next(conversation)?.id;
    this.setPending(conversation, (list) => list.map((p) => (p.id === refused ? { ...p, problem } : p)));
    queueMicrotask(() => void this.handOver(conversation));
  }

  private next(conversation: string): Pending | undefined {
    return this.desk.store.getState().pending[conversation]?.find((p) => !p.problem);
  }

  private setPending(conversation: string, change: (list: readonly Pending[]) => readonly Pending[]): void {
    this.desk.store.setState(({ pending }) => {
      const list = change(pending[conversation] ?? []);
      const { [conversation]: _, ...rest } = pending;
      return { pending: list.length > 0 ? { ...rest, [conversation]: list } : rest };
    });
  }
}
