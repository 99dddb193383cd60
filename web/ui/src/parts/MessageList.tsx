import { Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Message } from "../api";
import { useClient, useNow, usePart } from "../state/hooks";
import type { Pending } from "../state/pending";
import { closed } from "../text/groups";
import { rows, unreadStart } from "../text/rows";
import { Bubble } from "./Bubble";
import { Down, Lock } from "./icons";

/** This near to the end counts as the end, in pixels. */
const NEAR_END = 48;
/** This near to the top the next older page is fetched, in pixels. */
const NEAR_TOP = 600;

const NO_MESSAGES: readonly Message[] = [];
const NO_PENDING: readonly Pending[] = [];

interface Props {
  conversation: string;
  title: string;
  /** Grows when somebody wrote: then the end is shown. */
  sends: number;
}

/** The messages of one conversation: keeps to the end while one is there, keeps its place while one is not. */
export function MessageList({ conversation, title, sends }: Props) {
  const client = useClient();
  const messages = usePart((s) => s.timelines[conversation]?.messages ?? NO_MESSAGES);
  const more = usePart((s) => s.timelines[conversation]?.more ?? false);
  const newer = usePart((s) => s.timelines[conversation]?.newer ?? false);
  const waiting = usePart((s) => s.pending[conversation] ?? NO_PENDING);
  // What is being sent stands below the newest message, not below a place further up.
  const pending = newer ? NO_PENDING : waiting;
  const jump = usePart((s) => (s.jump?.conversation === conversation ? s.jump : null));
  const fetching = usePart((s) => s.fetching[conversation] ?? "no");
  const unread = usePart((s) => s.conversations?.find((c) => c.id === conversation)?.unread ?? 0);
  const group = usePart((s) => s.groups[conversation]);
  const now = useNow(60_000);

  const firstNew = usePart((s) => s.conversations?.find((c) => c.id === conversation)?.unread_from ?? null);

  // Where the new ones began stays marked for as long as the chat is open.
  const [unreadFrom] = useState(() => firstNew ?? unreadStart(messages, unread));
  const list = useMemo(() => rows(messages, pending, unreadFrom), [messages, pending, unreadFrom]);
  const newest = messages.at(-1)?.position ?? -1;

  const pane = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const atEnd = useRef(true);
  const lastOffset = useRef(0);
  const [seenTo, setSeenTo] = useState(newest);
  const [away, setAway] = useState(false);

  const first = list[0]?.key;
  const shownFirst = useRef(first);
  const grewAbove = first !== shownFirst.current && list.some((row) => row.key === shownFirst.current);

  const toEnd = useCallback(() => {
    if (list.length > 0) virtual.current?.scrollToIndex(list.length - 1, { align: "end" });
  }, [list.length]);

  /** Tells the node what has been seen, but only when somebody can have seen it. */
  const look = useCallback(() => {
    if (unread === 0 || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const handle = virtual.current;
    let last = newest;
    if (!atEnd.current && handle) {
      const row = list[handle.findItemIndex(handle.scrollOffset + handle.viewportSize - NEAR_END)];
      last = row?.content.kind === "message" ? row.content.message.position : newest;
    }
    if (last >= 0) void client.history.markRead(conversation, last);
  }, [client, conversation, unread, newest, list]);

  const onScroll = useCallback(
    (offset: number) => {
      const element = pane.current;
      if (!element) return;
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
      // Growth below the view isn't leaving the end; only a move upwards is.
      if (near && newer) void client.history.fetchNewer(conversation);
      if (near) atEnd.current = !newer;
      else if (offset < lastOffset.current) atEnd.current = false;
      lastOffset.current = offset;
      setAway(!atEnd.current);
      if (atEnd.current) setSeenTo(newest);
      if (offset < NEAR_TOP) void client.history.fetchOlder(conversation);
      look();
    },
    [client, conversation, newest, newer, look],
  );

  const onResize = useCallback(() => {
    if (atEnd.current) toEnd();
  }, [toEnd]);

  useLayoutEffect(() => {
    shownFirst.current = first;
  }, [first]);

  // On opening: to the first unread one, else to the end.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only once
  useLayoutEffect(() => {
    const index = list.findIndex((row) => row.firstUnread);
    if (index < 0) toEnd();
    else {
      atEnd.current = index === list.length - 1;
      virtual.current?.scrollToIndex(index, { align: "start", offset: -64 });
    }
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the end moves with the rows
  useLayoutEffect(() => {
    if (!atEnd.current) return;
    toEnd();
    setSeenTo(newest);
  }, [list.at(-1)?.key, newest, toEnd]);

  useLayoutEffect(() => {
    if (sends === 0) return;
    atEnd.current = true;
    toEnd();
  }, [sends, toEnd]);

  // A message that somebody jumped to, also when the chat has just been opened for it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once a jump
  useLayoutEffect(() => {
    const index = list.findIndex(
      (row) => row.content.kind === "message" && row.content.message.position === jump?.position,
    );
    if (index < 0) return;
    atEnd.current = false;
    setAway(true);
    virtual.current?.scrollToIndex(index, { align: "center" });
    pane.current?.focus({ preventScroll: true });
  }, [jump]);

  useEffect(() => {
    look();
    document.addEventListener("visibilitychange", look);
    window.addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("focus", look);
    };
  }, [look]);

  const fresh = messages.filter((m) => !m.own && m.position > seenTo).length;

  return (
    <div className="messages">
      {(fetching === "older" || fetching === "newer") && (
        <p className="older" aria-live="polite">
          Fetching {fetching} messages…
        </p>
      )}
      {typeof fetching === "object" && (
        <p className="older" role="alert">
          {fetching.message}{" "}
          <button type="button" className="link" onClick={() => void client.history.fetchOlder(conversation)}>
            Try again
          </button>
        </p>
      )}
      <div
        ref={pane}
        className="scroller"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard too
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={`Messages ${group ? "in" : "with"} ${title}`}
      >
        {list.length === 0 && <Beginning title={title} empty />}
        <div className="push" />
        <Virtualizer
          ref={virtual}
          data={list}
          scrollRef={pane}
          shift={grewAbove}
          onScroll={onScroll}
          onResize={onResize}
        >
          {(row, index) => (
            <Fragment key={row.key}>
              {index === 0 && !more && <Beginning title={title} empty={false} />}
              <Bubble
                row={row}
                now={now}
                chat={conversation}
                last={index === list.length - 1}
                group={group !== undefined}
                closed={closed(group)}
                found={row.content.kind === "message" && row.content.message.position === jump?.position}
              />
            </Fragment>
          )}
        </Virtualizer>
      </div>
      {(away || newer || fresh > 0) && (
        <button
          type="button"
          className={fresh > 0 ? "pill fresh" : "pill"}
          onClick={() => {
            atEnd.current = true;
            toEnd();
            void client.history.toNewest(conversation);
          }}
          aria-label={fresh > 0 ? undefined : "To the newest message"}
        >
          <Down />
          {fresh > 0 && `${fresh} new ${fresh === 1 ? "message" : "messages"}`}
        </button>
      )}
    </div>
  );
}

function Beginning({ title, empty }: { title: string; empty: boolean }) {
  return (
    <div className="beginning">
      <p className="privacy-line">
        <Lock /> End-to-end encrypted. The relay sees sealed envelopes of one size and when they come, never
        what they say.
      </p>
      {empty && (
        <p>
          Say hello to <bdi className="name">{title}</bdi>.
        </p>
      )}
    </div>
  );
}
