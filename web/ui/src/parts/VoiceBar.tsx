import { useEffect, useRef, useState } from "react";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { type Heard, LONGEST, micProblem, type Recorded, Recording } from "../state/recording";
import { duration } from "../text/sound";
import { Close, SendIcon, Stop } from "./icons";
import { VoicePlayer } from "./VoicePlayer";

interface Props {
  conversation: string;
  onLeave: () => void;
  onSent: () => void;
}

/** In the composer's place: records, lets one listen, sends. */
export function VoiceBar({ conversation, onLeave, onSent }: Props) {
  const client = useClient();
  const recording = useRef<Recording | null>(null);
  const [heard, setHeard] = useState<Heard | null>(null);
  const [recorded, setRecorded] = useState<Recorded | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    let left = false;
    Recording.begin((now) => {
      if (!left) setHeard(now);
    }).then(
      (begun) => {
        // Whoever left while the browser asked isn't recorded.
        if (left) begun.end();
        else recording.current = begun;
      },
      (error) => {
        if (!left) setProblem(micProblem(error));
      },
    );
    return () => {
      left = true;
      recording.current?.end();
      recording.current = null;
    };
  }, []);

  async function stop() {
    const current = recording.current;
    recording.current = null;
    if (current) setRecorded(await current.stop());
  }

  const full = heard !== null && heard.millis >= LONGEST;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is full
  useEffect(() => {
    if (full) void stop();
  }, [full]);

  function send() {
    if (!recorded) return;
    void client.files.send(conversation, [recorded.file], false, recorded);
    onSent();
    onLeave();
  }

  return (
    <section
      className="composer-box voice-bar"
      aria-label="Voice note"
      onKeyDown={(event) => {
        if (event.key === "Escape") onLeave();
      }}
    >
      <button
        type="button"
        className="button round quiet"
        aria-label="Discard the voice note"
        onClick={onLeave}
      >
        <Close />
      </button>
      {problem ? (
        <p className="voice-words bad" role="alert">
          {problem.message} {problem.hint}
        </p>
      ) : recorded ? (
        <VoicePlayer
          load={async () => recorded.file}
          millis={recorded.millis}
          levels={recorded.levels}
          label="your voice note"
        />
      ) : heard ? (
        <>
          <p className="voice-words" role="status">
            Recording
          </p>
          <meter className="voice-level" min={0} max={255} value={heard.level} aria-label="How loud" />
          <time className="voice-time" role="timer">
            {duration(heard.millis)}
          </time>
        </>
      ) : (
        <p className="voice-words" role="status">
          Waiting for the microphone…
        </p>
      )}
      {!problem && !recorded && (
        <button
          // biome-ignore lint/a11y/noAutofocus: whoever pressed record ends it next
          autoFocus
          type="button"
          className="button round primary"
          aria-label="Stop recording"
          disabled={heard === null}
          onClick={() => void stop()}
        >
          <Stop />
        </button>
      )}
      {recorded && (
        <button
          // biome-ignore lint/a11y/noAutofocus: the button that was pressed is gone
          autoFocus
          type="button"
          className="button round primary"
          aria-label="Send the voice note"
          onClick={send}
        >
          <SendIcon />
        </button>
      )}
    </section>
  );
}
