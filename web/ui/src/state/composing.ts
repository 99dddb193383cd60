import { type Desk, quietly } from "./desk";
import type { About } from "./store";

/** A draft is kept by the node when nothing was typed for so many milliseconds. */
const DRAFT_PAUSE = 800;
/** Typing is said again after so many milliseconds of it. */
const TYPING_PAUSE = 2_000;

/** What is being written, before it is sent. */
export class Composing {
  private readonly desk: Desk;
  /** Drafts that wait to be kept by the node: how to call that off. */
  private readonly keeping = new Map<string, () => void>();
  /** When it was last said that one types. */
  private readonly typed = new Map<string, number>();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  setDraft(conversation: string, text: string): void {
    const { store, around } = this.desk;
    store.setState(({ drafts }) => ({ drafts: { ...drafts, [conversation]: text } }));
    if (store.getState().abouts[conversation]?.kind === "edit") return;
    this.keeping.get(conversation)?.();
    const keep = () => void quietly(() => this.desk.ask({ type: "set_draft", conversation, text }));
    this.keeping.set(conversation, around.after(DRAFT_PAUSE, keep));
  }

  /** Makes the composer answer or change a message, or write a new one. A draft comes back after a change. */
  setAbout(conversation: string, about: About | null): void {
    this.desk.store.setState(({ abouts, drafts }) => {
      const { [conversation]: before, ...rest } = abouts;
      const draft = before?.kind === "edit" ? before.draft : (drafts[conversation] ?? "");
      const edited =
        about?.kind === "edit" && about.message.body.type === "text" ? about.message.body.text : null;
      const now = about?.kind === "edit" ? { ...about, draft } : about;
      return {
        abouts: now ? { ...rest, [conversation]: now } : rest,
        drafts: { ...drafts, [conversation]: edited ?? draft },
      };
    });
  }

  /** A message is gone: nothing can be about it. */
  gone(conversation: string, id: string): void {
    if (this.desk.store.getState().abouts[conversation]?.message.id === id) this.setAbout(conversation, null);
  }

  /** Lets others see that one types, or stopped; the node keeps it to itself where it isn't wanted. */
  types(conversation: string, typing: boolean): void {
    const now = this.desk.around.now();
    if (typing && now - (this.typed.get(conversation) ?? 0) < TYPING_PAUSE) return;
    this.typed.set(conversation, typing ? now : 0);
    void quietly(() => this.desk.ask({ type: "typing", conversation, typing }));
  }
}
