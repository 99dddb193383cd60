import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import { type Problem, textBytes } from "../state/pending";
import { useSubmit } from "../state/submit";
import { Complaint } from "./Entry";

/** Bytes a profile name may have (the wire's limit). */
const NAME_BYTES = 128;

/** The name that others see beside the username: shown, changed, cleared. */
export function ProfileName() {
  const client = useClient();
  const [set, setSet] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again by a button
  useEffect(() => {
    let here = true;
    client.account.profile().then(
      (name) => here && setSet(name),
      (error: unknown) => here && setProblem(explain(error)),
    );
    return () => {
      here = false;
    };
  }, [client, asked]);

  return (
    <section className="profile-name" aria-label="How others see you">
      <h3>How others see you</h3>
      {set !== null ? (
        <NameForm set={set} onSet={setSet} />
      ) : problem ? (
        <>
          <Complaint {...problem} />
          <button
            type="button"
            className="button small"
            onClick={() => {
              setProblem(null);
              setAsked(asked + 1);
            }}
          >
            Try again
          </button>
        </>
      ) : (
        <p aria-live="polite">One moment…</p>
      )}
    </section>
  );
}

function NameForm({ set, onSet }: { set: string; onSet: (name: string) => void }) {
  const client = useClient();
  const username = usePart((s) => (s.status?.account.state === "active" ? s.status.account.username : ""));
  const [name, setName] = useState(set);
  const [note, setNote] = useState("");
  const { busy, problem, submit } = useSubmit();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const wanted = name.trim();
  const over = textBytes(wanted) - NAME_BYTES;

  async function save(to: string) {
    if (busy || to === set || textBytes(to) > NAME_BYTES) return;
    setNote("");
    if (!(await submit(() => client.account.setProfile(to)))) return;
    onSet(to);
    setName(to);
    setNote(to === "" ? "Cleared. Others see your username alone." : "Saved.");
    // The button that was pressed may be gone.
    input.current?.focus();
  }

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    void save(wanted);
  }

  return (
    <form onSubmit={onSubmit}>
      <div className="field">
        <label htmlFor={id}>Name beside your username</label>
        <input
          id={id}
          ref={input}
          className="text-input"
          value={name}
          onChange={(event) => {
            setName(event.target.value);
            setNote("");
          }}
          placeholder={username}
          autoComplete="off"
          dir="auto"
          aria-describedby={`${id}-about ${id}-note`}
          aria-invalid={over > 0 || problem !== null}
        />
        <p id={`${id}-about`} className="field-note">
          Each chat learns it with your next message there. Your username{" "}
          <bdi className="name">{username}</bdi> stays, and is how others find you.
        </p>
        <p id={`${id}-note`} className={over > 0 ? "field-note bad" : "field-note good"} role="status">
          {over > 0 ? `Too long by ${over} ${over === 1 ? "byte" : "bytes"}.` : note}
        </p>
      </div>
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        {set !== "" && (
          <button type="button" className="button" disabled={busy} onClick={() => void save("")}>
            Clear
          </button>
        )}
        <button type="submit" className="button" disabled={busy || over > 0 || wanted === set}>
          {busy ? "Saving…" : "Save the name"}
        </button>
      </div>
    </form>
  );
}
