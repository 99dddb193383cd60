import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import type { Group, GroupMember, Role } from "../api";
import { mayRemove, rolesFor } from "../text/groups";
import { More } from "./icons";

const MAKE: Record<Role, string> = {
  member: "Make a member",
  admin: "Make an admin",
  owner: "Make an owner",
};
const BECOME: Record<Role, string> = {
  member: "Become a member",
  admin: "Become an admin",
  owner: "Become an owner",
};

interface Props {
  group: Group;
  member: GroupMember;
  setRole: (role: Role) => void;
  remove: () => void;
}

/** What one may do about a member; nothing at all where one may do nothing. */
export function MemberMenu({ group, member, setRole, remove }: Props) {
  const roles = rolesFor(group, member);
  const removable = mayRemove(group, member);
  if (roles.length === 0 && !removable) return null;
  const words = member.own ? BECOME : MAKE;
  return (
    <MenuTrigger>
      <Button className="button round quiet" aria-label={`Options for ${member.username}`}>
        <More />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={`Options for ${member.username}`}>
          {roles.map((role) => (
            <MenuItem key={role} className="menu-item" onAction={() => setRole(role)}>
              {words[role]}
            </MenuItem>
          ))}
          {removable && (
            <MenuItem className="menu-item" onAction={remove}>
              Remove from the group…
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
