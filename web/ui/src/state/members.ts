import { useMemo } from "react";
import { usePart } from "./hooks";
import { ownAccount } from "./store";

/** Somebody in a conversation, and how they call themselves besides. */
export interface Member {
  readonly account: string;
  readonly username: string;
  readonly displayName: string | null;
  readonly own: boolean;
}

/** Everybody in a conversation, oneself too: a group's members, or the two of a direct chat. */
export function useMembers(conversation: string): readonly Member[] {
  const group = usePart((s) => s.groups[conversation]);
  const contacts = usePart((s) => s.contacts);
  const me = usePart(ownAccount);
  const name = usePart((s) => (s.status?.account.state === "active" ? s.status.account.username : ""));
  return useMemo(() => {
    const besides = new Map(contacts.map((c) => [c.account, c.display_name]));
    const people = group?.members ?? [
      ...contacts.filter((c) => c.conversation === conversation),
      { account: me, username: name },
    ];
    return people.map(({ account, username }) => ({
      account,
      username,
      displayName: besides.get(account) ?? null,
      own: account === me,
    }));
  }, [group, contacts, me, name, conversation]);
}
