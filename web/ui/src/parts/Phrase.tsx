import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import type { RecoveryPhrase } from "../api";
import { explain } from "../state/explain";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";

/** The 24 words to write down, then two of them to type. `done` says whether they were right, or put off. */
export function WritePhrase({ done }: { done: (checked: boolean) => void }) {
  const client = useClient();
  const [phrase, setPhrase] = useState<RecoveryPhrase | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [written, setWritten] = useState(false);

  useEffect(() => {
    let here = true;
    client.account.phrase().then(
      (words) => here && setPhrase(words),
      (error: unknown) => here && setProblem(explain(error)),
    );
    return () => {
      here = false;
    };
  }, [client]);

  const later = (
    <button type="button" className="button" onClick={() => done(false)}>
      Later
    </button>
  );
  if (problem) {
    return (
      <>
        <Complaint {...problem} />
        <div className="button-row">{later}</div>
      </>
    );
  }
  if (!phrase) return <p>One moment…</p>;
  if (written) return <TwoWords ask={phrase.ask} back={() => setWritten(false)} done={() => done(true)} />;
  return (
    <>
      <p>
        These 24 words give your account back when everything else is lost, and open this device without the
        relay. Write them down on paper, in this order. Whoever has them <strong>is you</strong>.
      </p>
      <ol className="codes phrase" aria-label="Recovery phrase">
        {phrase.words.map((word, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a word may come twice, and the places never change
          <li key={i}>
            <code>{word}</code>
          </li>
        ))}
      </ol>
      <div className="button-row">
        {later}
        <button type="button" className="button primary" onClick={() => setWritten(true)}>
          I wrote them down
        </button>
      </div>
    </>
  );
}

function TwoWords({ ask, back, done }: { ask: number[]; back: () => void; done: () => void }) {
  const client = useClient();
  const [words, setWords] = useState<string[]>(ask.map(() => ""));
  const { busy, problem, submit } = useSubmit();
  const id = useId();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (await submit(() => client.account.confirmPhrase(words.map((w) => w.trim())))) done();
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <p>Look at your paper: two of the words show that it is there.</p>
      {ask.map((place, i) => (
        <div className="field" key={place}>
          <label htmlFor={`${id}-${place}`}>Word {place}</label>
          <input
            ref={i === 0 ? first : undefined}
            id={`${id}-${place}`}
            className="text-input mono"
            value={words[i]}
            onChange={(event) => setWords(words.map((w, n) => (n === i ? event.target.value : w)))}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={32}
            aria-invalid={problem !== null}
          />
        </div>
      ))}
      {problem && <Complaint {...problem} />}
      <div className="button-row">
        <button type="button" className="button" onClick={back}>
          Show them again
        </button>
        <button
          type="submit"
          className="button primary"
          disabled={busy || words.some((w) => w.trim() === "")}
        >
          Check
        </button>
      </div>
    </form>
  );
}

/** All 24, typed: whether the paper is right. */
export function PhraseField({
  label,
  action,
  submit,
}: {
  label: string;
  action: string;
  submit: (phrase: string) => Promise<void>;
}) {
  const [phrase, setPhrase] = useState("");
  const { busy, problem, submit: run } = useSubmit();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (await run(() => submit(phrase))) setPhrase("");
  }

  return (
    <form className="field" onSubmit={(event) => void onSubmit(event)}>
      <label htmlFor={id}>{label}</label>
      <textarea
        ref={field}
        id={id}
        className="text-input mono"
        rows={4}
        value={phrase}
        onChange={(event) => setPhrase(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={4096}
        aria-invalid={problem !== null}
      />
      {problem && <Complaint {...problem} />}
      <button type="submit" className="button primary wide" disabled={busy || phrase.trim() === ""}>
        {busy ? "Checking…" : action}
      </button>
    </form>
  );
}
