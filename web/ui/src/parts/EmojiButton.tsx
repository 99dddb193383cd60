import { type EmojiData, EmojiPicker } from "frimousse";
import { type ComponentProps, useState } from "react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import address from "../emoji/en.json?url";
import { Smile } from "./icons";

/** The data comes with the page (seed B19) and isn't cached in the browser's storage. */
async function data(): Promise<EmojiData> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`emoji data: ${answer.status}`);
  return (await answer.json()) as EmojiData;
}

export function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <Button className="button round quiet" aria-label="Emoji">
        <Smile />
      </Button>
      <Popover className="popover" placement="top end">
        <Dialog className="emoji-dialog" aria-label="Emoji">
          <EmojiPicker.Root
            className="emoji"
            locale="en"
            columns={8}
            resolveEmojiData={data}
            onEmojiSelect={({ emoji }) => {
              setOpen(false);
              onPick(emoji);
            }}
          >
            <EmojiPicker.Search
              className="text-input"
              placeholder="Search emoji"
              aria-label="Search emoji"
              autoFocus
            />
            <EmojiPicker.Viewport className="emoji-viewport">
              <EmojiPicker.Loading className="emoji-note">One moment…</EmojiPicker.Loading>
              <EmojiPicker.Empty className="emoji-note">No emoji found.</EmojiPicker.Empty>
              <EmojiPicker.List className="emoji-list" components={{ CategoryHeader, Row, Emoji }} />
            </EmojiPicker.Viewport>
          </EmojiPicker.Root>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function CategoryHeader({ category, ...props }: { category: { label: string } }) {
  return (
    <div className="emoji-category" {...props}>
      {category.label}
    </div>
  );
}

/** The picker counts rows and columns from nought; in ARIA they start with one. Its roles come with the props. */
function Row({ "aria-rowindex": row = 0, ...props }: ComponentProps<"div">) {
  const position = { "aria-rowindex": row + 1 };
  return <div {...props} {...position} />;
}

interface EmojiProps extends ComponentProps<"button"> {
  emoji: { emoji: string };
}

function Emoji({ emoji, "aria-colindex": column = 0, ...props }: EmojiProps) {
  const position = { "aria-colindex": column + 1 };
  return (
    <button type="button" {...props} {...position}>
      {emoji.emoji}
    </button>
  );
}
