import { type KeyboardEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { type Member, useMembers } from "../state/members";
import { insertMention, type Offer, offer } from "../text/mentions";

/** What the field that is typed in needs. */
export interface Mentioning {
  readonly offered: Offer | null;
  readonly chosen: number;
  readonly id: string;
  /** To be called whenever the caret moves; null: nobody types there. */
  moved(caret: number | null): void;
  /** Whether the key was for the list. */
  onKey(event: KeyboardEvent): boolean;
  pick(candidate: Member): void;
}

/** Offers names for the `@` before the caret. `put` takes the new text and where the caret goes. */
export function useMentioning(
  conversation: string,
  text: string,
  put: (text: string, caret: number) => void,
): Mentioning {
  const people = useMembers(conversation);
  const [caret, setCaret] = useState<number | null>(null);
  const [turned, setTurned] = useState(0);
  /** The `@` for which somebody wanted no list. */
  const [declined, setDeclined] = useState<number | null>(null);
  const id = useId();
  const found = caret === null ? null : offer(text, caret, people);
  const offered = found?.start === declined ? null : found;
  const count = offered?.candidates.length ?? 0;
  const chosen = count === 0 ? 0 : Math.min(turned, count - 1);

  // Another `@` begins with the first name again, and may offer again.
  useEffect(() => {
    setTurned(0);
    if (found?.start === undefined) setDeclined(null);
  }, [found?.start]);

  function pick({ username }: Member) {
    if (!offered) return;
    const next = insertMention(text, offered, username);
    put(next.text, next.caret);
    setCaret(next.caret);
    setTurned(0);
  }

  function onKey(event: KeyboardEvent): boolean {
    if (!offered || event.nativeEvent.isComposing) return false;
    const candidate = offered.candidates[chosen];
    if (event.key === "ArrowDown") setTurned((chosen + 1) % count);
    else if (event.key === "ArrowUp") setTurned((chosen + count - 1) % count);
    else if (event.key === "Escape") setDeclined(offered.start);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && candidate) pick(candidate);
    else return false;
    event.preventDefault();
    return true;
  }

  return { offered, chosen, id, moved: setCaret, onKey, pick };
}

/** What assistive technology is told about the field while names are offered. */
export function mentionAttributes({ offered, chosen, id }: Mentioning) {
  return {
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-controls": offered ? id : undefined,
    "aria-activedescendant": offered ? `${id}-${chosen}` : undefined,
  } as const;
}

/** The names, above the field. The focus stays in the field: the list follows its keys. */
export function MentionList({ mentioning }: { mentioning: Mentioning }) {
  const { offered, chosen, id, pick } = mentioning;
  const list = useRef<HTMLDivElement>(null);
  useScrolledTo(list, chosen);
  const count = offered?.candidates.length ?? 0;
  return (
    <>
      <p className="visually-hidden" aria-live="polite">
        {count > 0 && `${count} ${count === 1 ? "name" : "names"} to mention. Arrows choose, Enter inserts.`}
      </p>
      {offered && (
        <div ref={list} id={id} className="mention-list" role="listbox" aria-label="People to mention">
          {offered.candidates.map((candidate, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's
            <div
              key={candidate.account}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === chosen}
              tabIndex={-1}
              // The field must not lose the focus to a press.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(candidate)}
            >
              <bdi className="name">@{candidate.username}</bdi>
              {candidate.displayName && <bdi className="mention-besides">{candidate.displayName}</bdi>}
            </div>
          ))}
        </div>
      )}
    </>
  );
}

function useScrolledTo(list: RefObject<HTMLDivElement | null>, chosen: number) {
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [list, chosen]);
}
