import { useEffect } from "react";
import type { Conversation } from "../api";
import { PhraseBanner, RelayBanner, RemovedBanner } from "../parts/Banner";
import { HandoverBanner } from "../parts/Handover";
import { Sidebar } from "../parts/Sidebar";
import { Refusal } from "../parts/Standing";
import { usePart } from "../state/hooks";
import { muted } from "../text/deeds";
import { Chat } from "./Chat";

/** The chats: list and conversation side by side, on a phone one after the other. */
export function Main({ conversation }: { conversation: string | null }) {
  const unread = usePart((s) => s.conversations?.reduce((sum, c) => sum + counted(c), 0) ?? 0);
  const title = usePart((s) => s.conversations?.find((c) => c.id === conversation)?.title ?? null);

  useEffect(() => {
    const count = unread > 0 ? `(${unread}) ` : "";
    document.title = `${count}${title ? `${title} · ` : ""}LiveChat`;
  }, [unread, title]);

  return (
    <div className="frame">
      <RelayBanner />
      <RemovedBanner />
      <HandoverBanner />
      <PhraseBanner />
      <Refusal />
      <main className={conversation ? "panes in-chat" : "panes"}>
        <h1 className="visually-hidden">LiveChat</h1>
        <Sidebar current={conversation} />
        <div className="chat-pane">
          {conversation ? <Chat key={conversation} conversation={conversation} /> : <NothingChosen />}
        </div>
      </main>
      <Announcer />
    </div>
  );
}

/** What of the unread ones stands in the title: of a muted chat, only what mentions one. */
function counted(chat: Conversation): number {
  return muted(chat, Date.now()) ? chat.unread_mentions : chat.unread;
}

function NothingChosen() {
  const none = usePart((s) => s.conversations?.length === 0);
  const account = usePart((s) => s.status?.account);
  if (none && account?.state === "active") {
    return (
      <div className="nothing">
        <h2>
          Welcome, <bdi>{account.username}</bdi>
        </h2>
        <p>
          Others find you as <strong className="name">{account.username}</strong>. What you write is sealed on
          this computer and opened on theirs, nowhere between.
        </p>
      </div>
    );
  }
  return (
    <div className="nothing">
      <h2>Choose a chat</h2>
      <p>Or start a new one with the plus sign: all you need is a username.</p>
    </div>
  );
}

/** Says incoming messages to screen readers, wherever they are. */
function Announcer() {
  const { count, text } = usePart((s) => s.announcement);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {text && <span key={count}>{text}</span>}
    </div>
  );
}
