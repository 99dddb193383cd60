import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import type { Conversation, Group } from "../api";
import { useClient } from "../state/hooks";
import { exportOf, muted, SILENCES, span, TIMERS } from "../text/deeds";
import { mayLead } from "../text/groups";
import { More } from "./icons";

/** What one can do with a whole chat. A group's timer is for its owners and admins. */
export function ChatMenu({ chat, group }: { chat: Conversation; group: Group | null }) {
  const client = useClient();
  const { id: conversation, pinned, archived, standing } = chat;
  const timer = chat.timer ?? 0;
  const timers = TIMERS.some(([s]) => s === timer) ? TIMERS : [...TIMERS, [timer, span(timer)] as const];
  const silent = muted(chat, Date.now());

  return (
    <MenuTrigger>
      <Button className="button round quiet" aria-label="Chat options">
        <More />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label="Chat options">
          <MenuSection aria-label="Chat">
            <MenuItem
              className="menu-item"
              onAction={() => void client.does({ type: "pin", conversation, pinned: !pinned })}
            >
              {pinned ? "Unpin" : "Pin to the top"}
            </MenuItem>
            <MenuItem
              className="menu-item"
              onAction={() => void client.does({ type: "archive", conversation, archived: !archived })}
            >
              {archived ? "Back to the list" : "Archive"}
            </MenuItem>
            {silent && (
              <MenuItem
                className="menu-item"
                onAction={() => void client.does({ type: "mute", conversation, until: null })}
              >
                Unmute
              </MenuItem>
            )}
            {!silent &&
              SILENCES.map(([length, name]) => (
                <MenuItem
                  key={name}
                  className="menu-item"
                  onAction={() =>
                    void client.does({ type: "mute", conversation, until: Date.now() + length })
                  }
                >
                  {name}
                </MenuItem>
              ))}
            <MenuItem className="menu-item" href={exportOf(conversation, "markdown")} download="">
              Export
            </MenuItem>
            <MenuItem className="menu-item" href={exportOf(conversation, "markdown", true)} download="">
              Export with files
            </MenuItem>
            <MenuItem
              className="menu-item"
              onAction={() =>
                void client.does({ type: "block", conversation, blocked: standing !== "blocked" })
              }
            >
              {standing === "blocked" ? "Unblock" : "Block"}
            </MenuItem>
          </MenuSection>
          {standing === "accepted" && (!group || mayLead(group)) && (
            <MenuSection
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[`${timer}`]}
              onSelectionChange={(keys) => {
                const seconds = Number([...keys][0]);
                if (seconds !== timer) void client.does({ type: "set_timer", conversation, seconds });
              }}
            >
              <Header>New messages disappear</Header>
              {timers.map(([seconds, name]) => (
                <MenuItem key={seconds} id={`${seconds}`} className="menu-item">
                  {name}
                </MenuItem>
              ))}
            </MenuSection>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
