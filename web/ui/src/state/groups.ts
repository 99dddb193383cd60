import type { Group, Joining } from "../api";
import { type Desk, quietly } from "./desk";
import type { Lists } from "./lists";

/** What group conversations have beside direct ones: members, roles, what is under way. */
export class Groups {
  private readonly desk: Desk;
  private readonly lists: Lists;

  constructor(desk: Desk, lists: Lists) {
    this.desk = desk;
    this.lists = lists;
  }

  /** Makes a group and gives its conversation; the members are being invited from then on. */
  async create(title: string, members: string[]): Promise<string> {
    const { conversation } = await this.desk.ask({ type: "create_group", title, members });
    await Promise.all([this.fetch(conversation), this.lists.fetchConversations()]);
    return conversation;
  }

  /** Knocks with a link; the conversation, when one is in already. */
  async join(link: string): Promise<string | null> {
    const { type: _, ...joining } = await this.desk.ask({ type: "join_link", link });
    this.takeJoining(joining);
    return joining.state.state === "joined" ? joining.state.conversation : null;
  }

  /** Knocks at the relay's lobby; the conversation, when one is in already. */
  async lobby(): Promise<string | null> {
    const { type: _, ...joining } = await this.desk.ask({ type: "lobby" });
    this.takeJoining(joining);
    if (joining.state.state !== "joined") return null;
    await Promise.all([this.fetch(joining.state.conversation), this.lists.fetchConversations()]);
    return joining.state.conversation;
  }

  async cancelJoin(door: string): Promise<void> {
    await quietly(() => this.desk.ask({ type: "cancel_join", door }));
    await this.fetchJoinings();
  }

  async fetchJoinings(): Promise<void> {
    await quietly(async () => {
      const { joinings } = await this.desk.ask({ type: "joinings" });
      this.desk.store.setState({ joinings });
    });
  }

  takeJoining(joining: Joining): void {
    this.desk.store.setState(({ joinings }) => {
      const others = joinings.filter(({ door }) => door !== joining.door);
      return { joinings: joining.state.state === "joined" ? others : [joining, ...others] };
    });
  }

  take(group: Group): void {
    this.desk.store.setState(({ groups }) => ({ groups: { ...groups, [group.conversation]: group } }));
  }

  /** Fetches what is missing; with `all` what is known is fetched again too. */
  async fetchAll(all: boolean): Promise<void> {
    const { conversations, groups } = this.desk.store.getState();
    const wanted = (conversations ?? []).filter(({ id, group }) => group && (all || !groups[id]));
    await quietly(() => Promise.all(wanted.map(({ id }) => this.fetch(id))));
  }

  private async fetch(conversation: string): Promise<void> {
    const { type: _, ...group } = await this.desk.ask({ type: "group", conversation });
    this.take(group);
  }
}
