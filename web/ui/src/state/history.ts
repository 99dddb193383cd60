import type { HistoryPage, Message } from "../api";
import type { Desk } from "./desk";
import { explain } from "./explain";
import type { Fetching } from "./store";
import { type Timeline, withMessage, withNewer, withNewest, withOlder, without } from "./timeline";

/** Messages per page: about three screens. */
const PAGE = 60;
/** Most the node gives at once. */
const WHOLE_PAGE = 200;
/** Messages shown on each side of one that somebody jumps to. */
const AROUND = 30;
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
    const first = known.messages[0]?.position ?? null;
    await this.fetchInto(conversation, "older", async () => {
      const page = await this.fetchPage(conversation, first, PAGE);
      const now = this.known(conversation);
      return now && (now.messages[0]?.position ?? null) === first ? withOlder(now, page) : now;
    });
  }

  /** Fetches the page below what is known, after a jump. */
  async fetchNewer(conversation: string): Promise<void> {
    const known = this.known(conversation);
    if (!known?.newer || this.busy(conversation)) return;
    const last = known.messages.at(-1)?.position ?? -1;
    await this.fetchInto(conversation, "newer", async () => {
      const page = await this.fetchAt(conversation, last + 1, 0, PAGE);
      const now = this.known(conversation);
      // A jump may have gone elsewhere meanwhile.
      return now && now.messages.at(-1)?.position === last ? withNewer(now, page) : now;
    });
  }

  /** Shows the message at a position, with what stands around it. */
  async jump(conversation: string, position: number): Promise<void> {
    if (!this.known(conversation)?.messages.some((m) => m.position === position)) {
      await this.fetchInto(conversation, "newest", () =>
        this.fetchAt(conversation, position, AROUND, AROUND),
      );
    }
    this.desk.store.setState({ jump: { conversation, position } });
  }

  /** Leaves the place that was jumped to. */
  async toNewest(conversation: string): Promise<void> {
    this.desk.store.setState({ jump: null });
    if (this.known(conversation)?.newer) await this.fetchNewest(conversation);
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
    await this.fetchInto(conversation, "newest", async () => {
      const page = await this.fetchPage(conversation, null, PAGE);
      return withNewest(this.known(conversation), page);
    });
  }

  /** Says that something is fetched, takes it in, and says why when it couldn't be had. */
  private async fetchInto(
    conversation: string,
    what: Fetching,
    fetch: () => Promise<Timeline | undefined>,
  ): Promise<void> {
    this.setFetching(conversation, what);
    try {
      const timeline = await fetch();
      if (timeline) this.setTimeline(conversation, timeline);
      this.setFetching(conversation, "no");
    } catch (error) {
      this.setFetching(conversation, explain(error));
    }
  }

  /** Fetches a loaded stretch again, newest first, so that ticks that moved meanwhile are right. */
  private async fetchAgain(conversation: string): Promise<void> {
    const oldest = this.known(conversation)?.messages[0]?.position ?? 0;
    if (this.known(conversation)?.newer) {
      // Somebody looks at a place further up: that stretch is renewed where it stands.
      const page = await this.fetchAt(conversation, oldest, 0, WHOLE_PAGE);
      const now = this.known(conversation);
      if (now) this.setTimeline(conversation, { ...page, more: now.more });
      return;
    }
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
      ...withNewest(kept, { messages: [...fresh.messages], more: true, newer: false }),
      more: fresh.more,
    });
  }

  private fetchPage(conversation: string, before: number | null, limit: number): Promise<HistoryPage> {
    return this.desk.ask({ type: "history", conversation, before, limit });
  }

  private fetchAt(
    conversation: string,
    position: number,
    older: number,
    newer: number,
  ): Promise<HistoryPage> {
    return this.desk.ask({ type: "history_at", conversation, position, older, newer });
  }

  private known(conversation: string): Timeline | undefined {
    return this.desk.store.getState().timelines[conversation];
  }

  private busy(conversation: string): boolean {
    const fetching = this.desk.store.getState().fetching[conversation];
    return fetching === "newest" || fetching === "older" || fetching === "newer";
  }

  private setTimeline(conversation: string, timeline: Timeline): void {
    this.desk.store.setState(({ timelines }) => ({ timelines: { ...timelines, [conversation]: timeline } }));
  }

  private setFetching(conversation: string, fetching: Fetching): void {
    this.desk.store.setState((state) => ({ fetching: { ...state.fetching, [conversation]: fetching } }));
  }
}
