import type { Contact, Conversation } from "../api";
import { LineLost } from "../net/connection";
import { type Desk, quietly } from "./desk";
import { explain } from "./explain";

/** Several changes of the list within this many milliseconds are fetched as one. */
const LIST_PAUSE = 150;

/** Conversations and contacts. */
export class Lists {
  private readonly desk: Desk;
  private readonly fetched: () => void;
  private cancelFetch: (() => void) | null = null;

  /** `fetched` is called when newcomers may have come in. */
  constructor(desk: Desk, fetched: () => void) {
    this.desk = desk;
    this.fetched = fetched;
  }

  async addContact(username: string): Promise<Contact> {
    const contact = await this.desk.ask({ type: "add_contact", username });
    await Promise.all([this.fetchContacts(), this.fetchConversations()]);
    return contact;
  }

  /** Notes that a safety number was compared, or must be again. */
  async verify(account: string, verified: boolean): Promise<void> {
    await this.desk.ask({ type: "verify", account, verified });
    await Promise.all([this.fetchContacts(), this.fetchConversations()]);
  }

  /** Compares what a contact shows with what the node sees; whose it was is verified then. */
  async checkCode(code: string): Promise<Contact> {
    const contact = await this.desk.ask({ type: "check_code", code });
    await Promise.all([this.fetchContacts(), this.fetchConversations()]);
    return contact;
  }

  async fetchContacts(): Promise<void> {
    const { contacts } = await this.desk.ask({ type: "contacts" });
    this.desk.store.setState({ contacts });
  }

  /** What fails is shown where the list would be. */
  async fetchConversations(): Promise<void> {
    const { store } = this.desk;
    try {
      const { conversations } = await this.desk.ask({ type: "conversations" });
      // What is being written here is newer than what the node kept.
      const kept = conversations.flatMap(({ id, draft }) => (draft ? [[id, draft]] : []));
      store.setState(({ drafts }) => ({
        conversations,
        listProblem: null,
        drafts: { ...Object.fromEntries(kept), ...drafts },
      }));
    } catch (error) {
      if (!(error instanceof LineLost)) store.setState({ listProblem: explain(error) });
    }
  }

  takeConversation(conversation: Conversation): void {
    const { store, around } = this.desk;
    store.setState(({ conversations }) => ({
      conversations: conversations?.map((c) => (c.id === conversation.id ? conversation : c)) ?? null,
    }));
    // Order and newcomers are the node's to tell; who writes first is a contact from then on.
    this.cancelFetch ??= around.after(LIST_PAUSE, () => {
      this.cancelFetch = null;
      const { contacts, groups } = store.getState();
      const known = groups[conversation.id] || contacts.some((c) => c.conversation === conversation.id);
      const newcomers = known ? null : quietly(() => this.fetchContacts());
      void Promise.all([this.fetchConversations(), newcomers]).then(() => this.fetched());
    });
  }

  takeTyping(conversation: string, name: string, typing: boolean): void {
    this.desk.store.setState(({ conversations }) => ({
      conversations:
        conversations?.map((c) => {
          if (c.id !== conversation) return c;
          const others = c.typing.filter((n) => n !== name);
          return { ...c, typing: typing ? [...others, name] : others };
        }) ?? null,
    }));
  }
}
