import { useRef, useState } from "react";
import type { Conversation } from "../api";
import { useClient, useNow, usePart } from "../state/hooks";
import { navigate, pathOf } from "../state/route";
import { ownAccount } from "../state/store";
import { listTime } from "../text/dates";
import { muted } from "../text/deeds";
import { inOneLine } from "../text/notices";
import { shownTime } from "../text/rows";
import { AddContact } from "./AddContact";
import { Avatar } from "./Avatar";
import { Complaint } from "./Entry";
import { Logo, Muted, People, Pin, Plus, Verified } from "./icons";
import { Joinings, LobbyButton } from "./Joinings";
import { NewGroup } from "./NewGroup";
import { OwnMenu } from "./OwnMenu";
import { Hits, SearchField } from "./Search";
import { Ticks } from "./Ticks";

/** Own name and live count above, the conversations below. */
export function Sidebar({ current }: { current: string | null }) {
  const [adding, setAdding] = useState(false);
  const [founding, setFounding] = useState(false);
  const [looking, setLooking] = useState("");
  const pane = useRef<HTMLElement>(null);
  return (
    <section ref={pane} className="sidebar" aria-label="Conversations">
      <header className="sidebar-head">
        <Logo />
        <Presence />
        <button
          type="button"
          className="button round primary"
          aria-label="New chat"
          title="New chat"
          onClick={() => setAdding(true)}
        >
          <Plus />
        </button>
        <button
          type="button"
          className="button round"
          aria-label="New group"
          title="New group"
          onClick={() => setFounding(true)}
        >
          <People />
        </button>
        <OwnMenu />
      </header>
      <SearchField
        text={looking}
        onText={setLooking}
        onDown={() => pane.current?.querySelector<HTMLElement>("a.list-line")?.focus()}
      />
      {looking.trim() ? (
        <Hits text={looking} current={current} />
      ) : (
        <>
          <Joinings />
          <Conversations current={current} add={() => setAdding(true)} />
        </>
      )}
      <AddContact open={adding} onOpenChange={setAdding} />
      <NewGroup open={founding} onOpenChange={setFounding} />
    </section>
  );
}

/** Own name, a dot that is green while the relay answers, and how many are about. */
function Presence() {
  const status = usePart((s) => s.status);
  const lineOpen = usePart((s) => s.line.state === "open");
  if (status?.account.state !== "active") return <div className="presence" />;
  const relay = lineOpen ? status.relay.state : "offline";
  const live = status.live_users;
  const words = {
    online: live === null ? "Online" : `${live} online`,
    connecting: "Connecting…",
    offline: "Offline",
  }[relay];
  return (
    <div className="presence">
      <bdi className="own-name">{status.account.username}</bdi>
      <span className={`live ${relay}`}>
        <span className="dot" aria-hidden="true" />
        <span title={relay === "online" ? "People online at your relay" : undefined}>{words}</span>
      </span>
    </div>
  );
}

function Conversations({ current, add }: { current: string | null; add: () => void }) {
  const conversations = usePart((s) => s.conversations);
  const problem = usePart((s) => s.listProblem);
  const client = useClient();
  const now = useNow(30_000);
  const [archive, setArchive] = useState(false);
  if (problem) {
    return (
      <div className="list-empty">
        <Complaint {...problem} />
        <button type="button" className="button" onClick={() => void client.lists.fetchConversations()}>
          Try again
        </button>
      </div>
    );
  }
  if (!conversations) return <p className="list-note">Opening your conversations…</p>;
  if (conversations.length === 0) {
    return (
      <div className="list-empty">
        <h2>No chats yet</h2>
        <p>Ask somebody for their username and write to them. Or give them yours.</p>
        <button type="button" className="button primary" onClick={add}>
          Start your first chat
        </button>
        <LobbyButton />
      </div>
    );
  }
  const shown = conversations.filter((c) => !c.archived);
  const away = conversations.filter((c) => c.archived);
  return (
    <nav className="list" aria-label="Chats">
      <ul>
        {shown.map((c) => (
          <Line key={c.id} conversation={c} current={c.id === current} now={now} />
        ))}
      </ul>
      {away.length > 0 && (
        <button
          type="button"
          className="link archive"
          aria-expanded={archive}
          onClick={() => setArchive(!archive)}
        >
          {archive ? "Hide the archive" : `Archive (${away.length})`}
        </button>
      )}
      {archive && (
        <ul aria-label="Archive">
          {away.map((c) => (
            <Line key={c.id} conversation={c} current={c.id === current} now={now} />
          ))}
        </ul>
      )}
    </nav>
  );
}

function Line({ conversation, current, now }: { conversation: Conversation; current: boolean; now: number }) {
  const { id, title, last, unread, unread_mentions: mentions, pinned, typing, standing } = conversation;
  const draft = usePart((s) => s.drafts[id]);
  const me = usePart(ownAccount);
  const group = usePart((s) => s.groups[id] !== undefined);
  const route = { name: "chat", conversation: id } as const;
  return (
    <li>
      <a
        className="list-line"
        href={pathOf(route)}
        aria-current={current ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          navigate(route);
        }}
      >
        <Avatar name={title} seed={id} />
        <span className="list-title">
          {group && (
            <span role="img" aria-label="Group" title="Group">
              <People size={15} />
            </span>
          )}
          <bdi>{title}</bdi>
          {conversation.verified && <Verified />}
          {pinned && (
            <span role="img" aria-label="Pinned" title="Pinned">
              <Pin />
            </span>
          )}
          {muted(conversation, now) && (
            <span role="img" aria-label="Muted" title="Muted">
              <Muted />
            </span>
          )}
        </span>
        {last && <time className="list-time">{listTime(shownTime(last), now)}</time>}
        <span className="list-last">
          {standing === "request" && <em>Request: </em>}
          {typing.length > 0 ? (
            <span className="typing">typing…</span>
          ) : draft && !current ? (
            <>
              <em>Draft: </em>
              <bdi>{draft}</bdi>
            </>
          ) : (
            <>
              {last?.delivery && <Ticks step={last.delivery} group={group} />}
              <bdi>{preview(conversation, me, group)}</bdi>
            </>
          )}
        </span>
        {unread > 0 && (
          <span className="unread">
            {mentions > 0 && <span aria-hidden="true">@ </span>}
            {unread > 99 ? "99+" : unread}
            <span className="visually-hidden"> unread{mentions > 0 && ", you were mentioned"}</span>
          </span>
        )}
      </a>
    </li>
  );
}

function preview({ last, standing }: Conversation, me: string, group: boolean): string {
  if (standing === "blocked") return "Blocked";
  if (!last) return "No messages yet";
  const text = inOneLine(last, me);
  if (last.body.type !== "text") return text;
  if (last.own) return `You: ${text}`;
  return group ? `${last.author_name}: ${text}` : text;
}
