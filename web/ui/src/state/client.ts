import type { Event, Message, Request, Status } from "../api";
import { type Answer, Connection, type Line, type Surroundings } from "../net/connection";
import { muted } from "../text/deeds";
import { handoverState } from "../text/handovers";
import { joinState } from "../text/links";
import { inOneLine } from "../text/notices";
import { isSpeech } from "../text/rows";
import { Account } from "./account";
import { Composing } from "./composing";
import { type Desk, quietly } from "./desk";
import { explain } from "./explain";
import { Files } from "./files";
import { Groups } from "./groups";
import { Handovers } from "./handovers";
import { History } from "./history";
import { Lists } from "./lists";
import { Outgoing } from "./outgoing";
import { forget, newStore, type State, type Store } from "./store";

/** What the page can do: asks the node, keeps the store right. State is fetched; events only say when. */
export class Client {
  readonly store: Store;
  readonly account: Account;
  readonly history: History;
  readonly composing: Composing;
  readonly outgoing: Outgoing;
  readonly lists: Lists;
  readonly groups: Groups;
  readonly files: Files;
  readonly handovers: Handovers;
  private readonly connection: Connection;
  private readonly around: Surroundings;
  private active: string | null = null;
  private aside: ({ account: string } & Pick<State, "pending" | "drafts">) | null = null;

  constructor(around: Surroundings) {
    this.around = around;
    this.store = newStore();
    this.connection = new Connection(around, {
      line: (line) => this.onLine(line),
      event: (event) => this.onEvent(event),
    });
    const desk: Desk = { store: this.store, around, ask: (request) => this.ask(request) };
    this.account = new Account(desk, {
      changed: () => this.fetchStatus(),
      gone: () => {
        this.aside = null;
      },
    });
    this.history = new History(desk);
    this.composing = new Composing(desk);
    this.outgoing = new Outgoing(desk, this.composing, (at, message) => this.takeMessage(at, message, true));
    this.lists = new Lists(desk, () => void this.groups.fetchAll(false));
    this.groups = new Groups(desk, this.lists);
    this.files = new Files(desk);
    this.handovers = new Handovers(desk);
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  /** Shows the page that asks for a new link. */
  refused(): void {
    this.store.setState({ line: { state: "refused" } });
  }

  /** Goes on if this browser was let in meanwhile, through a link opened in another tab. */
  async tryAgain(): Promise<void> {
    if ((await this.around.admission()) === "admitted") this.start();
  }

  /** Asks the node. Rejects with what {@link Connection.request} rejects with. */
  ask<R extends Request>(request: R): Promise<Answer<R["type"]>> {
    return this.connection.request(request);
  }

  /** Asks for something that shows by itself when done; a refusal is shown. */
  async does(request: Request): Promise<boolean> {
    try {
      await this.ask(request);
      return true;
    } catch (error) {
      this.store.setState({ refusal: explain(error) });
      return false;
    }
  }

  forgetRefusal(): void {
    this.store.setState({ refusal: null });
  }

  private onLine(line: Line): void {
    this.store.setState({ line });
    if (line.state === "open") void this.fetchAll();
  }

  private onEvent(event: Event): void {
    switch (event.type) {
      case "status":
        this.takeStatus(event);
        break;
      case "message_added":
        this.takeMessage(event.conversation, event.message, true);
        this.announce(event.conversation, event.message);
        break;
      case "message_changed":
        this.takeMessage(event.conversation, event.message, false);
        break;
      case "conversation_changed":
        this.lists.takeConversation(event.conversation);
        break;
      case "group_changed":
        this.groups.take(event.group);
        break;
      case "joining_changed":
        this.groups.takeJoining(event.joining);
        this.say(joinState(event.joining));
        break;
      case "message_removed":
        this.history.drop(event.conversation, event.id);
        this.composing.gone(event.conversation, event.id);
        break;
      case "typing":
        this.lists.takeTyping(event.conversation, event.name, event.typing);
        break;
      case "transfer_changed":
        this.files.take(event.transfer);
        break;
      case "handover_changed":
        this.handovers.take(event.handover);
        if (event.handover.state.state !== "running") this.say(handoverState(event.handover));
        break;
      case "devices_changed":
        this.store.setState({ devices: event.devices });
        break;
      case "lagged":
        void this.fetchAll();
        break;
    }
  }

  /** After a break anything may have happened: everything shown is asked for again. */
  private async fetchAll(): Promise<void> {
    const before = this.active;
    await quietly(() => this.fetchStatus());
    if (this.active && before === this.active) await this.fetchContents();
  }

  /** What belongs to the account; and what waited for the line is handed over. */
  private async fetchContents(): Promise<void> {
    this.outgoing.handOverAll();
    await quietly(() =>
      Promise.all([
        Promise.all([this.lists.fetchContacts(), this.lists.fetchConversations()]).then(() =>
          this.groups.fetchAll(true),
        ),
        this.history.fetchAllAgain(),
        this.groups.fetchJoinings(),
        this.files.fetchAll(),
        this.handovers.fetchAll(),
      ]),
    );
  }

  private async fetchStatus(): Promise<void> {
    this.takeStatus(await this.ask({ type: "status" }));
  }

  private takeStatus(status: Status): void {
    const before = this.active;
    this.active = status.account.state === "active" ? status.account.account : null;
    if (before && before !== this.active) this.setAside(before);
    this.store.setState({ status });
    if (!this.active || before === this.active) return;
    if (this.aside?.account === this.active) {
      this.store.setState({ pending: this.aside.pending, drafts: this.aside.drafts });
    }
    this.aside = null;
    void this.fetchContents();
  }

  /** A session that ends by itself must not cost what was written: it waits for the same account. */
  private setAside(account: string): void {
    const { pending, drafts } = this.store.getState();
    this.aside = { account, pending, drafts };
    this.history.forgetMarks();
    forget(this.store);
  }

  private takeMessage(conversation: string, message: Message, added: boolean): void {
    this.history.take(conversation, message, added);
    if (message.own) this.outgoing.arrived(conversation, message.id);
  }

  /** Says to screen readers what came in. A change of a group is said whoever made it: it takes its time. */
  private announce(conversation: string, message: Message): void {
    const { conversations, timelines, groups } = this.store.getState();
    const about = conversations?.find((c) => c.id === conversation);
    if (about?.standing === "blocked") return;
    if (about && muted(about, Date.now()) && !message.mentions_me) return;
    const title = groups[conversation]?.title;
    const text = isSpeech(message)
      ? heard(message, title, timelines[conversation] !== undefined)
      : `${title ? `${title}: ` : ""}${inOneLine(message, this.active ?? "")}`;
    if (text) this.say(text);
  }

  private say(text: string): void {
    this.store.setState(({ announcement }) => ({ announcement: { count: announcement.count + 1, text } }));
  }
}

/** Who wrote, in which group, and what, if the chat was opened; null for one's own words. */
function heard(
  { own, author_name, body, mentions_me }: Message,
  title: string | undefined,
  opened: boolean,
): string | null {
  if (own) return null;
  const says = opened && body.type === "text" ? `: ${body.text}` : mentions_me ? "" : " sent a message";
  return `${author_name}${mentions_me ? " mentioned you" : ""}${title ? ` in ${title}` : ""}${says}`;
}
