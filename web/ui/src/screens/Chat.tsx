import { type DragEvent, useEffect, useRef, useState } from "react";
import { Button, Dialog, DialogTrigger, Heading, Popover } from "react-aria-components";
import type { Conversation, Group } from "../api";
import { Avatar } from "../parts/Avatar";
import { ChatMenu } from "../parts/ChatMenu";
import { Chosen } from "../parts/Chosen";
import { Composer } from "../parts/Composer";
import { Complaint } from "../parts/Entry";
import { GroupSheet } from "../parts/GroupSheet";
import { ClosedBanner, GroupState } from "../parts/GroupState";
import { Back, Info, People, Shield, Verified } from "../parts/icons";
import { MessageList } from "../parts/MessageList";
import { SafetyNumber } from "../parts/SafetyNumber";
import { Sending } from "../parts/Sending";
import { BlockedBanner, NewKeysBanner, RequestBanner } from "../parts/Standing";
import { TicksLegend } from "../parts/Ticks";
import { useClient, useMedia, usePart } from "../state/hooks";
import { navigate } from "../state/route";
import { span } from "../text/deeds";
import { closed, count } from "../text/groups";

export function Chat({ conversation }: { conversation: string }) {
  const client = useClient();
  const found = usePart((s) => s.conversations?.find((c) => c.id === conversation));
  const listed = usePart((s) => s.conversations !== null);
  const loaded = usePart((s) => s.timelines[conversation] !== undefined);
  const fetching = usePart((s) => s.fetching[conversation] ?? "no");
  const group = usePart((s) => s.groups[conversation] ?? null);
  const [sends, setSends] = useState(0);
  const [dropping, setDropping] = useState(false);

  useEffect(() => {
    void client.history.open(conversation);
  }, [client, conversation]);

  if (listed && !found) return <NotHere />;
  const title = found?.title ?? "";
  const open = found && found.standing !== "blocked" && !(group && closed(group));

  /** Only files: text that is dragged goes where it is dropped. */
  function carriesFiles(event: DragEvent) {
    return open && event.dataTransfer.types.includes("Files");
  }

  return (
    <section
      className={dropping ? "chat dropping" : "chat"}
      aria-label={group ? `Group ${title}` : `Chat with ${title}`}
      onDragOver={(event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={(event) => {
        setDropping(false);
        if (!carriesFiles(event)) return;
        event.preventDefault();
        client.files.choose(conversation, [...event.dataTransfer.files]);
      }}
    >
      <ChatHead conversation={conversation} title={title} chat={found ?? null} group={group} />
      {group && <GroupState group={group} />}
      {loaded && listed ? (
        <MessageList conversation={conversation} title={title} sends={sends} />
      ) : (
        <div className="messages">
          {typeof fetching === "object" ? (
            <div className="list-empty">
              <Complaint {...fetching} />
              <button type="button" className="button" onClick={() => void client.history.open(conversation)}>
                Try again
              </button>
            </div>
          ) : (
            <p className="older">Opening…</p>
          )}
        </div>
      )}
      {found?.new_keys && found.standing !== "blocked" && <NewKeysBanner chat={found} />}
      {found?.standing === "request" && !found.new_keys && <RequestBanner chat={found} group={group} />}
      {group && closed(group) ? (
        <ClosedBanner group={group} />
      ) : found?.standing === "blocked" ? (
        <BlockedBanner chat={found} group={group} />
      ) : found?.new_keys ? null : (
        <>
          <Sending conversation={conversation} />
          <Chosen conversation={conversation} />
          <Composer
            conversation={conversation}
            title={title}
            onSent={() => {
              setSends(sends + 1);
              void client.history.toNewest(conversation);
            }}
          />
        </>
      )}
    </section>
  );
}

interface HeadProps {
  conversation: string;
  title: string;
  chat: Conversation | null;
  group: Group | null;
}

function ChatHead({ conversation, title, chat, group }: HeadProps) {
  const contact = usePart((s) => s.contacts.find((c) => c.conversation === conversation));
  const [comparing, setComparing] = useState(false);
  const [showing, setShowing] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const touch = useMedia("(pointer: coarse)");
  // With a finger the composer doesn't take the focus, and the list that had it is gone.
  useEffect(() => {
    if (touch) heading.current?.focus();
  }, [touch]);
  return (
    <header className="chat-head">
      <button
        type="button"
        className="button round quiet back"
        aria-label="Back to the list"
        onClick={() => navigate({ name: "home" })}
      >
        <Back />
      </button>
      <Avatar name={title} seed={conversation} />
      <div className="chat-title">
        <h2 ref={heading} tabIndex={-1}>
          <bdi>{title}</bdi>
          {chat?.verified && <Verified />}
        </h2>
        <Below chat={chat} group={group} />
      </div>
      {contact && (
        <button
          type="button"
          className="button round quiet"
          aria-label={contact.verified ? "Verified: safety number" : "Verify"}
          title={contact.verified ? "Verified: safety number" : "Verify"}
          onClick={() => setComparing(true)}
        >
          <Shield />
        </button>
      )}
      {group && (
        <button
          type="button"
          className="button round quiet"
          aria-label="Members"
          title="Members"
          onClick={() => setShowing(true)}
        >
          <People />
        </button>
      )}
      <DialogTrigger>
        <Button className="button round quiet" aria-label="What the marks mean">
          <Info />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Dialog className="legend-dialog">
            <Heading slot="title">What the marks mean</Heading>
            <TicksLegend group={group !== null} />
            <h3>What the relay sees</h3>
            <p>
              Sealed envelopes of one size, when they come and from which network address, the names you look
              up, and of files that you send their size and when. Not what you write or send. Sender and
              recipient aren't written on them either, but times can give hints.
            </p>
          </Dialog>
        </Popover>
      </DialogTrigger>
      {chat && <ChatMenu chat={chat} group={group} />}
      {contact && <SafetyNumber contact={contact} open={comparing} onOpenChange={setComparing} />}
      {group && <GroupSheet group={group} open={showing} onOpenChange={setShowing} />}
    </header>
  );
}

/** Who types, else how the chat is protected and for how long its messages stay. */
function Below({ chat, group }: { chat: Conversation | null; group: Group | null }) {
  const typing = chat?.typing ?? [];
  const about = group ? `${closed(group) ? "You aren't in it" : count(group)} · ` : "";
  const timer = chat?.timer ? ` · messages disappear after ${span(chat.timer)}` : "";
  return (
    <p>
      {/* Only who types is said as it changes, not each time anew what holds all along. */}
      <span aria-live="polite">
        {typing.length > 0 && (
          <>
            <bdi>{typing.join(", ")}</bdi> {typing.length === 1 ? "is typing…" : "are typing…"}
          </>
        )}
      </span>
      {typing.length === 0 && `${about}End-to-end encrypted${timer}`}
    </p>
  );
}

function NotHere() {
  return (
    <div className="nothing">
      <h2>This chat isn't on this device</h2>
      <button type="button" className="button primary" onClick={() => navigate({ name: "home" })}>
        To your chats
      </button>
    </div>
  );
}
