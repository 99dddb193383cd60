import { useState } from "react";
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import type { Message } from "../api";
import { useClient } from "../state/hooks";
import { QUICK } from "../text/deeds";
import { Sheet } from "./Dialogs";
import { More } from "./icons";
import { Forward, Revisions } from "./MessageSheets";

interface Props {
  chat: string;
  message: Message;
  /** Whether nothing can be written here any more. */
  closed: boolean;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

type Asking = "forward" | "revisions" | "delete" | null;

/** What one can do with a message: by its button, by the keyboard, or by a right click on the bubble. */
export function MessageMenu({ chat, message, closed, open, onOpenChange }: Props) {
  const client = useClient();
  const [asking, setAsking] = useState<Asking>(null);
  const { body, own, position } = message;
  const text = body.type === "text" ? body.text : null;
  const said = text !== null || body.type === "file";
  const done = (stays: boolean) => !stays && setAsking(null);

  function react(emoji: string) {
    const on = !message.reactions.some((r) => r.emoji === emoji && r.own);
    void client.does({ type: "react", conversation: chat, position, emoji, on });
  }

  return (
    <>
      <MenuTrigger isOpen={open} onOpenChange={onOpenChange}>
        <Button className="button round quiet deeds" aria-label="Message actions">
          <More />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu className="menu" aria-label="Message actions">
            {said && !closed && (
              <MenuSection className="quick">
                <Header>React</Header>
                {QUICK.map((emoji) => (
                  <MenuItem key={emoji} className="menu-item" textValue={emoji} onAction={() => react(emoji)}>
                    {emoji}
                  </MenuItem>
                ))}
              </MenuSection>
            )}
            <MenuSection aria-label="Message">
              {said && !closed && (
                <MenuItem
                  className="menu-item"
                  onAction={() => client.composing.setAbout(chat, { kind: "reply", message })}
                >
                  Reply
                </MenuItem>
              )}
              {text !== null && own && !closed && (
                <MenuItem
                  className="menu-item"
                  onAction={() => client.composing.setAbout(chat, { kind: "edit", message, draft: "" })}
                >
                  Edit
                </MenuItem>
              )}
              {text !== null && (
                <MenuItem className="menu-item" onAction={() => void navigator.clipboard.writeText(text)}>
                  Copy text
                </MenuItem>
              )}
              {said && (
                <MenuItem className="menu-item" onAction={() => setAsking("forward")}>
                  Forward…
                </MenuItem>
              )}
              {message.edited_at !== null && (
                <MenuItem className="menu-item" onAction={() => setAsking("revisions")}>
                  Earlier versions…
                </MenuItem>
              )}
              <MenuItem className="menu-item" onAction={() => setAsking("delete")}>
                Delete…
              </MenuItem>
            </MenuSection>
          </Menu>
        </Popover>
      </MenuTrigger>
      <Forward from={chat} message={message} open={asking === "forward"} onOpenChange={done} />
      <Revisions chat={chat} message={message} open={asking === "revisions"} onOpenChange={done} />
      <Delete chat={chat} message={message} closed={closed} open={asking === "delete"} onOpenChange={done} />
    </>
  );
}

function Delete({ chat, message, closed, open, onOpenChange }: Props) {
  const client = useClient();
  const everyone = message.own && (message.body.type === "text" || message.body.type === "file") && !closed;

  async function remove(for_everyone: boolean) {
    onOpenChange(false);
    await client.does({ type: "delete", conversation: chat, position: message.position, for_everyone });
  }

  return (
    <Sheet title="Delete this message?" role="alertdialog" open={open} onOpenChange={onOpenChange}>
      <p>
        {everyone
          ? "For you: only from this device. For everyone: others' devices delete it too, unless they are kept from it."
          : "It is deleted from this device only."}
      </p>
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => onOpenChange(false)}>
          Keep
        </button>
        <button type="button" className="button danger" onClick={() => void remove(false)}>
          Delete for me
        </button>
        {everyone && (
          <button type="button" className="button danger" onClick={() => void remove(true)}>
            Delete for everyone
          </button>
        )}
      </div>
    </Sheet>
  );
}
