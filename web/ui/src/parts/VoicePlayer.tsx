import { useEffect, useRef, useState } from "react";
import { duration } from "../text/sound";
import { Pause, Play } from "./icons";

interface Props {
  /** Its bytes, typed as sound; null when they aren't here yet: then {@link Props.fetch} is asked for. */
  load: (() => Promise<Blob>) | null;
  fetch?: (() => void) | undefined;
  millis: number;
  levels: readonly number[];
  /** What is played, for those who don't see it. */
  label: string;
}

/** One voice at a time. */
let speaking: HTMLAudioElement | null = null;

/** Plays a voice note: button, waveform to seek in, time. */
export function VoicePlayer({ load, fetch, millis, levels, label }: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const source = useRef<string | null>(null);
  const [playing, setPlaying] = useState(false);
  const [wanted, setWanted] = useState(false);
  const [broken, setBroken] = useState(false);
  const [at, setAt] = useState(0);
  const [whole, setWhole] = useState(millis);

  useEffect(
    () => () => {
      if (source.current) URL.revokeObjectURL(source.current);
      source.current = null;
    },
    [],
  );

  // What was asked for plays when it is here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the bytes come
  useEffect(() => {
    if (wanted && load) void play();
  }, [wanted, load !== null]);

  async function play() {
    const voice = audio.current;
    if (!voice) return;
    if (!load) {
      setWanted(true);
      fetch?.();
      return;
    }
    setWanted(false);
    try {
      if (!source.current) {
        source.current = URL.createObjectURL(await load());
        voice.src = source.current;
      }
      if (speaking !== voice) speaking?.pause();
      speaking = voice;
      if (Math.abs(voice.currentTime * 1000 - at) > 250) voice.currentTime = at / 1000;
      await voice.play();
    } catch (error) {
      // Paused before it began.
      if (!(error instanceof Error && error.name === "AbortError")) setBroken(true);
    }
  }

  function seek(to: number) {
    setAt(to);
    if (audio.current && source.current) audio.current.currentTime = to / 1000;
  }

  if (broken) {
    return (
      <p className="voice-words" role="alert">
        This can't be played here. Save it, and try another program.
      </p>
    );
  }
  const shown = Math.min(at, whole);
  const heard = Math.round((levels.length * shown) / whole);
  return (
    <div className="voice">
      {/* biome-ignore lint/a11y/useMediaCaption: nobody has written down what was said */}
      <audio
        ref={audio}
        preload="none"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime * 1000)}
        onDurationChange={(event) => {
          const { duration: seconds } = event.currentTarget;
          // What a browser records doesn't say how long it is: then the message does.
          if (Number.isFinite(seconds) && seconds > 0) setWhole(seconds * 1000);
        }}
        onEnded={() => seek(0)}
        onError={() => setBroken(true)}
      />
      <button
        type="button"
        className="button round quiet"
        aria-label={playing ? `Pause ${label}` : `Play ${label}`}
        aria-busy={wanted}
        onClick={() => (playing ? audio.current?.pause() : void play())}
      >
        {playing ? <Pause /> : <Play />}
      </button>
      <div className="voice-track">
        <svg
          className="voice-bars"
          viewBox={`0 0 ${levels.length * 4} 32`}
          preserveAspectRatio="none"
          aria-hidden="true"
          focusable="false"
        >
          <path d={outline(levels, 0, heard)} />
          <path d={outline(levels, heard, levels.length)} opacity={0.4} />
        </svg>
        <input
          type="range"
          className="voice-seek"
          min={0}
          max={Math.ceil(whole)}
          step={Math.max(100, Math.ceil(whole / 100))}
          value={shown}
          aria-label={`Position in ${label}`}
          aria-valuetext={`${duration(shown)} of ${duration(whole)}`}
          onChange={(event) => seek(event.target.valueAsNumber)}
        />
      </div>
      <span className="voice-time">{duration(playing || at > 0 ? shown : whole)}</span>
    </div>
  );
}

/** Bars from one to another, as a path. */
function outline(levels: readonly number[], from: number, to: number): string {
  return levels
    .slice(from, to)
    .map((level, n) => {
      const height = 3 + (level * 27) / 255;
      return `M${(from + n) * 4 + 0.5} ${16 - height / 2}h3v${height}h-3z`;
    })
    .join("");
}
