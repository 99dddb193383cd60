import { bars, loudness } from "../text/sound";
import type { Problem } from "./pending";

/** An hour: what a voice note holds. */
export const LONGEST = 3_600_000;
/** Between two looks at how loud it is. */
const LOOK = 50;
/** What speech needs: a quarter of a megabyte a minute. */
const BITS = 32_000;
/** What nodes take for sound, best first. */
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/** What was said. */
export interface Recorded {
  file: File;
  millis: number;
  levels: number[];
}

/** How far a recording is, and how loud it is now. */
export interface Heard {
  millis: number;
  level: number;
}

/** The microphone, from the press of a button until somebody has had enough. */
export class Recording {
  private readonly pieces: Blob[] = [];
  private readonly levels: number[] = [];
  private readonly begun = performance.now();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly context: AudioContext | null;
  private readonly ended: Promise<Blob>;

  private readonly stream: MediaStream;
  private readonly recorder: MediaRecorder;

  private constructor(stream: MediaStream, recorder: MediaRecorder, heard: (now: Heard) => void) {
    this.stream = stream;
    this.recorder = recorder;
    this.context = typeof AudioContext === "undefined" ? null : new AudioContext();
    const analyser = this.context?.createAnalyser();
    if (analyser) this.context?.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser?.fftSize ?? 0);
    this.ended = new Promise((resolve) => {
      recorder.addEventListener("dataavailable", (event) => this.pieces.push(event.data));
      recorder.addEventListener("stop", () => resolve(new Blob(this.pieces, { type: recorder.mimeType })));
    });
    recorder.start(1_000);
    this.timer = setInterval(() => {
      analyser?.getFloatTimeDomainData(samples);
      const level = loudness(samples);
      this.levels.push(level);
      heard({ millis: this.elapsed(), level });
    }, LOOK);
  }

  /** Asks for the microphone. Rejects with what {@link micProblem} explains. */
  static async begin(heard: (now: Heard) => void): Promise<Recording> {
    if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined") throw new Unable();
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    if (!mimeType) throw new Unable();
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    try {
      const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
      return new Recording(stream, recorder, heard);
    } catch (error) {
      release(stream);
      throw error;
    }
  }

  /** Ends it and lets the microphone go. */
  async stop(): Promise<Recorded> {
    const millis = Math.min(LONGEST, Math.max(1, Math.round(this.elapsed())));
    this.end();
    const blob = await this.ended;
    const kind = blob.type.split(";")[0] ?? "";
    const name = `Voice note ${stamp(new Date())}.${kind.slice(kind.indexOf("/") + 1)}`;
    return { file: new File([blob], name, { type: kind }), millis, levels: bars(this.levels) };
  }

  /** Ends it; nothing of it is kept. */
  end(): void {
    clearInterval(this.timer);
    if (this.recorder.state !== "inactive") this.recorder.stop();
    release(this.stream);
    void this.context?.close();
  }

  private elapsed(): number {
    return performance.now() - this.begun;
  }
}

/** This browser can't record, or not on such a page. */
class Unable extends Error {}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function stamp(now: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${day} ${two(now.getHours())}.${two(now.getMinutes())}`;
}

/** Why there is no recording, and what helps. */
export function micProblem(error: unknown): Problem {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return {
      message: "The browser doesn't let this page use the microphone.",
      hint: "Allow it beside the page's address, then press again.",
    };
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return { message: "There is no microphone.", hint: "Plug one in, then press again." };
  }
  if (name === "NotReadableError" || name === "AbortError") {
    return {
      message: "The microphone doesn't answer.",
      hint: "Another program may be using it: end that one.",
    };
  }
  return {
    message: "This browser can't record here.",
    hint: "Record with another program, and send the file.",
  };
}
