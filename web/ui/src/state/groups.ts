import type { Group } from "../api";
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
