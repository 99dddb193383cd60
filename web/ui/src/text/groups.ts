import type { Group, GroupMember, Role } from "../api";

/** What roles are called, where one picks them or reads them behind a name. */
export const ROLES: Record<Role, string> = { member: "Member", admin: "Admin", owner: "Owner" };

const RANK: Record<Role, number> = { member: 0, admin: 1, owner: 2 };
const ALL: readonly Role[] = ["member", "admin", "owner"];

/** Whether nothing can be written in it any more. */
export function closed(group: Group | null | undefined): boolean {
  return Boolean(group) && group?.standing !== "joined";
}

/** Whether one may invite people and change the title. The node has the last word on all of these. */
export function mayLead(group: Group): boolean {
  return !closed(group) && RANK[group.own_role] >= RANK.admin;
}

export function mayRemove(group: Group, member: GroupMember): boolean {
  if (closed(group) || member.own) return false;
  return group.own_role === "owner" || RANK[member.role] < RANK[group.own_role];
}

/** Roles that one may give somebody, other than the one they have. Everybody may lay down their own, but the last owner. */
export function rolesFor(group: Group, member: GroupMember): readonly Role[] {
  if (closed(group)) return [];
  const others = ALL.filter((role) => role !== member.role);
  if (member.own) return onlyOwner(group) ? [] : others.filter((role) => RANK[role] < RANK[member.role]);
  return group.own_role === "owner" ? others : [];
}

/** Whether one can't go, since nobody would own the group any more. */
export function heldBack(group: Group): boolean {
  return onlyOwner(group) && group.members.some((m) => !m.own);
}

function onlyOwner(group: Group): boolean {
  return group.own_role === "owner" && !group.members.some((m) => !m.own && m.role === "owner");
}

/** How many are in it, in words. */
export function count(group: Group): string {
  const { length } = group.members;
  return `${length} ${length === 1 ? "member" : "members"}`;
}

/** Changes that aren't in force yet, in words; null when there are none. */
export function underway({ pending, waiting }: Group): string | null {
  if (pending === 0 && !waiting) return null;
  const changes = pending > 1 ? `${pending} changes` : "A change";
  const [wait, are] = pending > 1 ? ["wait", "are"] : ["waits", "is"];
  return waiting
    ? `${changes} ${wait} for the relay, which puts changes in order. Everybody can write meanwhile.`
    : `${changes} of the group ${are} being made…`;
}

/** The colour that goes with an account: never the only sign of who it is. */
export function hueOf(id: string): number {
  return (Number.parseInt(id.slice(0, 4), 16) || 0) % 360;
}
