import type { HistoryPage, Message } from "../api";
import type { Desk } from "./desk";
import { explain } from "./explain";
import type { Fetching } from "./store";
import { type Timeline, withMessage, withNewest, withOlder, without } from "./timeline";

/** Messages per page: about three screens. */
const PAGE = 60;
/** Most the node gives at once. */
const WHOLE_PAGE = 200;
/** Pages fetched again after a break, at most; what is further up is fetched when somebody scrolls there. */
const PAGES_AGAIN = 5;

/** What was said in each conversation, as far as it is loaded, and how far it was read. */
export class History {
  private readonly desk: Desk;
  private readonly marked = new Map<string, number>();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  /** Sees to it that the newest page is there. */
  async open(conversation: string): Promise<void> {
    if (this.known(conversation)) return;
    await this.fetchNewest(conversation);
  }

  /** Fetches the page above what is known. */
  async fetchOlder(conversation: string): Promise<void> {
    const known = this.known(conversation);
    if (!known?.more || this.busy(conversation)) return;
    this.setFetching(conversation, "older");
    try {
      const before = known.messages[0]?.position ?? null;
      const page = await this.fetchPage(conversation, before, PAGE);
      const now = this.known(conversation);
      if (now) this.setTimeline(conversation, withOlder(now, page));
      this.setFetching(conversation, "no");
    } catch (error) {
      this.setFetching(conversation, explain(error));
    }
  }

  /** Fetches what is loaded, or failed to load, again: ticks and texts may have changed. */
  async fetchAllAgain(): Promise<void> {
    const { timelines, fetching } = this.desk.store.getState();
    const failed = Object.keys(fetching).filter((c) => !timelines[c]);
    await Promise.all([
      ...Object.keys(timelines).map((c) => this.fetchAgain(c)),
      ...failed.map((c) => this.fetchNewest(c)),
    ]);
  }

  /** Moves the read mark. Whoever calls has made sure that somebody is looking. */
  async markRead(conversation: string, position: number): Promise<void> {
    if ((this.marked.get(conversation) ?? -1) >= position) return;
    this.marked.set(conversation, position);
    try {
      await this.desk.ask({ type: "mark_read", conversation, position });
    } catch {
      // Not moved: the next look tries again.
      if (this.marked.get(conversation) === position) this.marked.delete(conversation);
    }
  }

  /** Another account reads from its own marks. */
  forgetMarks(): void {
    this.marked.clear();
  }

  /** Takes a message in, new or changed. */
  take(conversation: string, message: Message, added: boolean): void {
    const next = withMessage(this.known(conversation), message, added);
    if (next) this.setTimeline(conversation, next);
  }

  drop(conversation: string, id: string): void {
    const known = this.known(conversation);
    if (known) this.setTimeline(conversation, without(known, id));
  }

  private async fetchNewest(conversation: string): Promise<void> {
    if (this.busy(conversation)) return;
    this.setFetching(conversation, "newest");
    try {
      const page = await this.fetchPage(conversation, null, PAGE);
      this.setTimeline(conversation, withNewest(this.known(conversation), page));
      this.setFetching(conversation, "no");
    } catch (error) {
      this.setFetching(conversation, explain(error));
    }
  }

  /** Fetches a loaded stretch again, newest first, so that ticks that moved meanwhile are right. */
  private async fetchAgain(conversation: string): Promise<void> {
    const oldest = this.known(conversation)?.messages[0]?.position ?? 0;
    let before: number | null = null;
    let fresh: Timeline | undefined;
    for (let pages = 0; pages < PAGES_AGAIN; pages += 1) {
      const page: HistoryPage = await this.fetchPage(conversation, before, pages === 0 ? PAGE : WHOLE_PAGE);
      fresh = fresh ? withOlder(fresh, page) : withNewest(undefined, page);
      before = page.messages[0]?.position ?? null;
      if (!page.more || before === null || before <= oldest) break;
    }
    if (!fresh || fresh.messages.length === 0) return;
    const now = this.known(conversation);
    // Everything above the stretch just fetched may be out of date: it is fetched again by scrolling there.
    const from = fresh.messages[0]?.position ?? 0;
    const kept = now && { ...now, messages: now.messages.filter((m) => m.position >= from) };
    this.setTimeline(conversation, {
      ...withNewest(kept, { messages: [...fresh.messages], more: true }),
      more: fresh.more,
    });
  }

  private fetchPage(conversation: string, before: number | null, limit: number): Promise<HistoryPage> {
    return this.desk.ask({ type: "history", conversation, before, limit });
  }

  private known(conversation: string): Timeline | undefined {
    return this.desk.store.getState().timelines[conversation];
  }

  private busy(conversation: string): boolean {
    const fetching = this.desk.store.getState().fetching[conversation];
    return fetching === "newest" || fetching === "older";
  }

  private setTimeline(conversation: string, timeline: Timeline): void {
    this.desk.store.setState(({ timelines }) => ({ timelines: { ...timelines, [conversation]: timeline } }));
  }

  private setFetching(conversation: string, fetching: Fetching): void {
    this.desk.store.setState((state) => ({ fetching: { ...state.fetching, [conversation]: fetching } }));
  }
}
