import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { Hit, SearchOrder } from "../api";
import { explain } from "../state/explain";
import { useClient, useNow, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { navigate, pathOf } from "../state/route";
import { listTime } from "../text/dates";
import { shownTime } from "../text/rows";
import { Avatar } from "./Avatar";
import { Complaint } from "./Entry";
import { Search as Lens } from "./icons";

/** Pause after the last key before the node is asked, in milliseconds. */
const PAUSE = 200;
/** Hits fetched at once. */
const PAGE = 40;

interface Found {
  readonly hits: readonly Hit[];
  readonly next: string | null;
}

interface FieldProps {
  text: string;
  onText: (text: string) => void;
  /** Wanted further down: the hits. */
  onDown: () => void;
}

/** Where words are typed. Ctrl-K goes there from everywhere, Escape empties it. */
export function SearchField({ text, onText, onDown }: FieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers of 2022 don't know the search element
    <div className="search" role="search">
      <Lens />
      <input
        ref={field}
        type="search"
        aria-label="Search messages"
        aria-keyshortcuts="Control+K"
        placeholder="Search messages"
        maxLength={400}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onText("");
          if (event.key === "ArrowDown") {
            event.preventDefault();
            onDown();
          }
        }}
      />
    </div>
  );
}

interface HitsProps {
  text: string;
  /** The chat that is open. */
  current: string | null;
}

/** What was found, in all chats or in the open one. */
export function Hits({ text, current }: HitsProps) {
  const client = useClient();
  const now = useNow(60_000);
  const title = usePart((s) => s.conversations?.find((c) => c.id === current)?.title ?? null);
  const [here, setHere] = useState(false);
  const [order, setOrder] = useState<SearchOrder>("newest");
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const asked = useRef(0);
  const conversation = here ? current : null;

  const ask = async (next: string | null) => {
    asked.current += 1;
    const mine = asked.current;
    try {
      const page = await client.ask({ type: "search", query: text, conversation, order, next, limit: PAGE });
      if (mine !== asked.current) return;
      setFound((before) => ({
        hits: next && before ? [...before.hits, ...page.hits] : page.hits,
        next: page.next,
      }));
      setProblem(null);
    } catch (error) {
      if (mine === asked.current) setProblem(explain(error));
    }
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew when the question is another one
  useEffect(() => {
    const timer = setTimeout(() => void ask(null), PAUSE);
    return () => {
      clearTimeout(timer);
      asked.current += 1;
    };
  }, [client, text, conversation, order]);

  return (
    <section className="list hits" aria-label="Search results" onKeyDown={walk}>
      <fieldset className="hits-choice">
        <legend className="visually-hidden">Where, and in which order</legend>
        {current && title && (
          <button type="button" className="chip" aria-pressed={here} onClick={() => setHere(!here)}>
            Only in <bdi>{title}</bdi>
          </button>
        )}
        <button
          type="button"
          className="chip"
          aria-pressed={order === "best"}
          onClick={() => setOrder(order === "best" ? "newest" : "best")}
        >
          Best first
        </button>
      </fieldset>
      <p className="visually-hidden" role="status">
        {found && (found.hits.length === 0 ? "Nothing found" : `${found.hits.length} found`)}
      </p>
      {problem && <Complaint {...problem} />}
      {found?.hits.length === 0 && !problem && <Nothing />}
      {found && (
        <ul>
          {found.hits.map((hit) => (
            <Line key={hit.message.id} hit={hit} now={now} />
          ))}
        </ul>
      )}
      {found?.next && (
        <button type="button" className="link archive" onClick={() => void ask(found.next)}>
          More
        </button>
      )}
    </section>
  );
}

function Nothing() {
  return (
    <div className="list-note">
      <p>Nothing found.</p>
      <p>
        Parts of words are found too, and words “in quotes” together. <code>from:name</code>,{" "}
        <code>after:2026-03</code> and <code>before:2026-03-15</code> narrow it down.
      </p>
    </div>
  );
}

function Line({ hit, now }: { hit: Hit; now: number }) {
  const client = useClient();
  const { conversation, message, title, group } = hit;
  const route = { name: "chat", conversation } as const;
  const who = message.own ? "You" : group ? message.author_name : null;
  const id = useId();
  return (
    <li>
      <a
        className="list-line hit"
        href={pathOf(route)}
        aria-describedby={id}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          void client.history.jump(conversation, message.position);
          navigate(route);
        }}
      >
        <Avatar name={title} seed={conversation} />
        <span className="list-title">
          <bdi>{title}</bdi>
        </span>
        <time className="list-time">{listTime(shownTime(message), now)}</time>
        <span className="hit-text" id={id} dir="auto">
          {who && <bdi>{who}: </bdi>}
          {pieces(hit)}
        </span>
      </a>
    </li>
  );
}

/** Text nodes, the found ones marked: nothing in them can become markup. */
function pieces({ excerpt }: Hit) {
  let at = 0;
  return excerpt.map(({ text, hit }) => {
    const key = at;
    at += text.length;
    return hit ? <mark key={key}>{text}</mark> : <span key={key}>{text}</span>;
  });
}

/** Up and down between the hits. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>("a.hit")];
  const at = lines.indexOf(document.activeElement as HTMLElement);
  const to = event.key === "ArrowDown" ? lines[at + 1] : lines[at - 1];
  if (!to) return;
  event.preventDefault();
  to.focus();
}
