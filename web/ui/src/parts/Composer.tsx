import { type ClipboardEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Message } from "../api";
import { useClient, useMedia, usePart } from "../state/hooks";
import { TEXT_BYTES, textBytes } from "../state/pending";
import { type About, ownAccount } from "../state/store";
import { inOneLine } from "../text/notices";
import { EmojiButton } from "./EmojiButton";
import { Clip, Close, Microphone, SendIcon } from "./icons";
import { MentionList, mentionAttributes, useMentioning } from "./MentionList";
import { VoiceBar } from "./VoiceBar";

/** From here on the room that is left is shown. */
const NEARLY_FULL = TEXT_BYTES - 2_048;

interface Props {
  conversation: string;
  title: string;
  onSent: () => void;
}

/** Several lines; Enter sends, Shift+Enter breaks the line. The draft stays with its conversation. */
export function Composer({ conversation, title, onSent }: Props) {
  const client = useClient();
  const draft = usePart((s) => s.drafts[conversation] ?? "");
  const about = usePart((s) => s.abouts[conversation] ?? null);
  const standing = usePart((s) => s.conversations?.find((c) => c.id === conversation)?.standing);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const caret = useRef<number | null>(null);
  const [speaksIn, setSpeaksIn] = useState<string | null>(null);
  const speaks = speaksIn === conversation;
  const mentioning = useMentioning(conversation, draft, (text, at) => {
    caret.current = at;
    client.composing.setDraft(conversation, text);
  });
  // Where typing means a keyboard that covers half the screen, one asks for it oneself.
  const touch = useMedia("(pointer: coarse)");
  const bytes = draft.length * 4 > NEARLY_FULL ? textBytes(draft) : 0;
  const sendable = draft.trim() !== "" && bytes <= TEXT_BYTES;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each conversation takes the focus once
  useEffect(() => {
    if (!touch) field.current?.focus();
  }, [conversation, touch]);

  // Whoever accepts a request writes next: the button that was pressed is gone.
  useEffect(() => {
    const here = document.activeElement;
    if (standing === "accepted" && !touch && (!here || here === document.body)) field.current?.focus();
  }, [standing, touch]);

  // Whoever answers or changes a message writes next. The menu gives the focus back to its button first.
  useEffect(() => {
    if (!about) return;
    const timer = setTimeout(() => field.current?.focus(), 50);
    return () => clearTimeout(timer);
  }, [about]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    if (caret.current === null) return;
    area.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [draft, conversation]);

  function send() {
    if (!sendable) return;
    const text = draft.trim();
    if (about?.kind === "edit") {
      void change(about.message, text);
      return;
    }
    client.outgoing.send(conversation, text);
    client.composing.setDraft(conversation, "");
    onSent();
  }

  /** What the node refuses stays in the composer. */
  async function change({ position, body }: Message, text: string) {
    const same = body.type === "text" && body.text === text;
    if (same || (await client.does({ type: "edit", conversation, position, text }))) {
      client.composing.setAbout(conversation, null);
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    if (mentioning.onKey(event)) return;
    if (event.key === "Escape" && about) {
      event.preventDefault();
      client.composing.setAbout(conversation, null);
      return;
    }
    // While an input method composes, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  /** A picture from the clipboard is a file; text with a picture beside it (from a spreadsheet, say) is text. */
  function onPaste(event: ClipboardEvent) {
    const { files } = event.clipboardData;
    if (files.length === 0 || event.clipboardData.getData("text/plain") !== "") return;
    event.preventDefault();
    client.files.choose(conversation, [...files]);
  }

  function insert(emoji: string) {
    const area = field.current;
    if (!area) return;
    const { selectionStart: from, selectionEnd: to } = area;
    caret.current = from + emoji.length;
    client.composing.setDraft(conversation, draft.slice(0, from) + emoji + draft.slice(to));
    // After the picker has given the focus back to its button.
    setTimeout(() => area.focus(), 0);
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {bytes > NEARLY_FULL && (
        <p className={bytes > TEXT_BYTES ? "composer-note bad" : "composer-note"} aria-live="polite">
          {bytes > TEXT_BYTES
            ? `Too long by ${bytes - TEXT_BYTES} bytes: a message holds 32 KiB.`
            : `${TEXT_BYTES - bytes} bytes left.`}
        </p>
      )}
      {about && <AboutLine about={about} onLeave={() => client.composing.setAbout(conversation, null)} />}
      <MentionList mentioning={mentioning} />
      {speaks && (
        <VoiceBar
          onSent={onSent}
          conversation={conversation}
          onLeave={() => {
            setSpeaksIn(null);
            // Once the field is shown again.
            setTimeout(() => field.current?.focus(), 0);
          }}
        />
      )}
      <div className="composer-box" hidden={speaks}>
        <textarea
          ref={field}
          rows={1}
          value={draft}
          onChange={(event) => {
            client.composing.setDraft(conversation, event.target.value);
            client.composing.types(conversation, event.target.value !== "");
            mentioning.moved(event.target.selectionStart);
          }}
          onSelect={(event) => mentioning.moved(event.currentTarget.selectionStart)}
          onBlur={() => mentioning.moved(null)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          placeholder="Message"
          aria-label={`Message to ${title}`}
          dir="auto"
          {...mentionAttributes(mentioning)}
        />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label="Files to send"
          onChange={(event) => {
            client.files.choose(conversation, [...(event.target.files ?? [])]);
            // The same file may be chosen again.
            event.target.value = "";
          }}
        />
        <button
          type="button"
          className="button round quiet"
          aria-label="Send a file"
          title="Send a file: up to 1 GB. Pictures lose place and time of the shot."
          onClick={() => picker.current?.click()}
        >
          <Clip />
        </button>
        {draft === "" && about === null && (
          <button
            type="button"
            className="button round quiet"
            aria-label="Record a voice note"
            title="Record a voice note"
            onClick={() => setSpeaksIn(conversation)}
          >
            <Microphone />
          </button>
        )}
        <EmojiButton onPick={insert} />
        <button
          type="submit"
          className="button round primary"
          aria-label={about?.kind === "edit" ? "Save the change" : "Send"}
          disabled={!sendable}
        >
          <SendIcon />
        </button>
      </div>
    </form>
  );
}

/** Which message is answered or changed. */
function AboutLine({ about: { kind, message }, onLeave }: { about: About; onLeave: () => void }) {
  const me = usePart(ownAccount);
  return (
    <div className="composer-about" role="status">
      <div className="quote">
        <span className="quote-author">
          {kind === "edit" ? (
            "Change your message"
          ) : (
            <>
              Reply to <bdi>{message.own ? "yourself" : message.author_name}</bdi>
            </>
          )}
        </span>
        <span className="quote-text" dir="auto">
          {inOneLine(message, me)}
        </span>
      </div>
      <button
        type="button"
        className="button round quiet"
        aria-label={kind === "edit" ? "Don't change it" : "Don't reply"}
        onClick={onLeave}
      >
        <Close />
      </button>
    </div>
  );
}
