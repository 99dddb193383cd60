import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../src/App";
import type { Message, MessageBody } from "../src/api";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import { inOneLine } from "../src/text/notices";
import { bars, duration, hexLevels, loudness } from "../src/text/sound";
import { CHAT, message, TestNode, transfer } from "./node";

function voice(change: Partial<Extract<MessageBody, { type: "file" }>> = {}): Message {
  const body: MessageBody = {
    type: "file",
    name: "Voice note.webm",
    media: "audio/webm",
    size: 40_000,
    until: Math.floor(Date.now() / 1000) + 86_400,
    preview: null,
    voice: { millis: 65_000, levels: [0, 128, 255, 7] },
    here: true,
    ...change,
  };
  return message("", { body, author_name: "bob" });
}

async function talking(...history: Message[]) {
  const node = new TestNode();
  node.history = history;
  window.history.replaceState(null, "", `/chat/${CHAT}`);
  const client = new Client(node.surroundings());
  client.start();
  render(
    <ClientContext value={client}>
      <App />
    </ClientContext>,
  );
  await screen.findByRole("log");
  await act(async () => {});
  return { node, user: userEvent.setup() };
}

async function accessible() {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
}

/** A browser's microphone; `refuse` is what it says instead. */
function microphone(refuse?: string) {
  const stopped = vi.fn();
  class Recorder extends EventTarget {
    static isTypeSupported = (kind: string) => kind.startsWith("audio/webm");
    state = "inactive";
    mimeType = "audio/webm;codecs=opus";
    start() {
      this.state = "recording";
    }
    stop() {
      this.state = "inactive";
      this.dispatchEvent(Object.assign(new Event("dataavailable"), { data: new Blob(["spoken"]) }));
      this.dispatchEvent(new Event("stop"));
    }
  }
  vi.stubGlobal("MediaRecorder", Recorder);
  const getUserMedia = vi.fn(async () => {
    if (refuse) throw Object.assign(new Error(refuse), { name: refuse });
    return { getTracks: () => [{ stop: stopped }] };
  });
  Object.defineProperty(navigator, "mediaDevices", { configurable: true, value: { getUserMedia } });
  return { getUserMedia, stopped };
}

let played: string[] = [];

beforeEach(() => {
  played = [];
  let urls = 0;
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${(blob as Blob).type}/${urls++}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(async function (this: HTMLMediaElement) {
    played.push(this.src);
    this.dispatchEvent(new Event("play"));
  });
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(function (this: HTMLMediaElement) {
    this.dispatchEvent(new Event("pause"));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "mediaDevices");
});

/** What the node answers when the bytes of a file are wanted. */
function gives(kind: string) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    return new Response(new Blob(["sound"], { type: kind }), { headers: { "Content-Type": kind } });
  });
  return asked;
}

describe("a voice note that came", () => {
  it("is played, paused and sought in, by keyboard too", async () => {
    const asked = gives("audio/webm");
    const theirs = voice();
    const { user } = await talking(theirs);
    const play = screen.getByRole("button", { name: "Play voice note of bob" });
    const position = screen.getByRole("slider", { name: "Position in voice note of bob" });
    expect(position.getAttribute("aria-valuetext")).toBe("0:00 of 1:05");
    await accessible();
    await user.click(play);
    await waitFor(() => expect(played).toEqual(["blob:audio/webm/0"]));
    expect(asked).toEqual([`/api/files/${CHAT}/${theirs.position}?show=true`]);
    fireEvent.change(position, { target: { value: "30000" } });
    expect(position.getAttribute("aria-valuetext")).toBe("0:30 of 1:05");
    const audio = document.querySelector("audio") as HTMLAudioElement;
    expect(audio.currentTime).toBe(30);
    await user.click(screen.getByRole("button", { name: "Pause voice note of bob" }));
    await user.click(screen.getByRole("button", { name: "Play voice note of bob" }));
    await waitFor(() => expect(played.length).toBe(2));
    expect(asked.length).toBe(1);
    // What the bytes say of themselves counts more than what the sender said.
    Object.defineProperty(audio, "duration", { configurable: true, value: 2 });
    fireEvent(audio, new Event("durationchange"));
    expect(position.getAttribute("aria-valuetext")).toBe("0:02 of 0:02");
  });

  it("isn't played when the node doesn't find sound in it", async () => {
    gives("application/octet-stream");
    const { user } = await talking(voice());
    await user.click(screen.getByRole("button", { name: "Play voice note of bob" }));
    expect(await screen.findByText(/can't be played here/)).toBeTruthy();
    expect(played).toEqual([]);
    expect(screen.getByRole("link", { name: "Save" })).toBeTruthy();
  });

  it("is fetched first, once, and plays when it is here", async () => {
    gives("audio/ogg");
    const theirs = voice({ here: false });
    const { node, user } = await talking(theirs);
    await user.click(screen.getByRole("button", { name: "Play voice note of bob" }));
    expect(node.asked.filter((r) => r.type === "fetch_file").length).toBe(1);
    await act(async () =>
      node.tells({
        type: "transfer_changed",
        transfer: transfer({ message: theirs.id, up: false }),
      }),
    );
    await user.click(screen.getByRole("button", { name: "Play voice note of bob" }));
    expect(node.asked.filter((r) => r.type === "fetch_file").length).toBe(1);
    const here = { ...theirs, body: { ...theirs.body, here: true } as MessageBody };
    node.history = [here];
    await act(async () => node.tells({ type: "message_changed", conversation: CHAT, message: here }));
    await waitFor(() => expect(played).toEqual(["blob:audio/ogg/0"]));
  });

  it("too large for a page's memory is a file like others", async () => {
    await talking(voice({ size: 64 * 2 ** 20 }));
    expect(screen.queryByRole("button", { name: /^Play/ })).toBeNull();
    expect(screen.getByRole("link", { name: "Save" })).toBeTruthy();
  });
});

describe("recording a voice note", () => {
  it("asks for the microphone when it is wanted, lets one listen, and sends", async () => {
    const { getUserMedia, stopped } = microphone();
    const posted: { url: string; init: RequestInit }[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      posted.push({ url, init });
      return new Response(JSON.stringify(transfer()), { status: 200 });
    });
    const { user } = await talking();
    expect(getUserMedia).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Record a voice note" }));
    await screen.findByRole("timer");
    await accessible();
    await user.click(screen.getByRole("button", { name: "Stop recording" }));
    expect(stopped).toHaveBeenCalled();
    await user.click(await screen.findByRole("button", { name: "Play your voice note" }));
    await waitFor(() => expect(played).toEqual(["blob:audio/webm/0"]));
    expect(posted).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Send the voice note" }));
    await waitFor(() => expect(posted.length).toBe(1));
    const about = new URL(posted[0]?.url ?? "", "http://x").searchParams;
    expect(about.get("name")).toMatch(/^Voice note [-0-9 .]+\.webm$/);
    expect(Number(about.get("millis"))).toBeGreaterThan(0);
    expect(about.get("levels")).toMatch(/^([0-9a-f]{2}){1,64}$/);
    expect(screen.queryByRole("region", { name: "Voice note" })).toBeNull();
  });

  it("is thrown away when somebody thinks better of it", async () => {
    const { stopped } = microphone();
    const { user } = await talking();
    await user.click(screen.getByRole("button", { name: "Record a voice note" }));
    await screen.findByRole("timer");
    await user.click(screen.getByRole("button", { name: "Discard the voice note" }));
    expect(stopped).toHaveBeenCalled();
    expect(screen.queryByRole("timer")).toBeNull();
    expect(screen.getByRole("button", { name: "Record a voice note" })).toBeTruthy();
  });

  it.each([
    ["NotAllowedError", /doesn't let this page use the microphone/],
    ["NotFoundError", /There is no microphone/],
    ["NotReadableError", /Another program may be using it/],
  ])("says why there is none: %s", async (refusal, words) => {
    microphone(refusal);
    const { user } = await talking();
    await user.click(screen.getByRole("button", { name: "Record a voice note" }));
    expect((await screen.findByRole("alert")).textContent).toMatch(words);
    await accessible();
  });

  it("says so where a browser can't", async () => {
    const { user } = await talking();
    await user.click(screen.getByRole("button", { name: "Record a voice note" }));
    expect((await screen.findByRole("alert")).textContent).toMatch(/can't record here/);
  });
});

describe("sound in figures", () => {
  it("is written as people say it", () => {
    expect([0, 1, 59_001, 3_600_000].map(duration)).toEqual(["0:00", "0:01", "1:00", "1:00:00"]);
    expect(inOneLine(voice(), "me")).toBe("🎤 Voice note, 1:05");
  });

  it("fits into a message", () => {
    expect(bars([])).toEqual([0]);
    expect(bars([1, 2, 3])).toEqual([1, 2, 3]);
    const many = bars(Array.from({ length: 1_000 }, (_, n) => n % 256));
    expect(many.length).toBe(64);
    expect(Math.max(...many)).toBe(255);
    expect(hexLevels([0, 255, 16])).toBe("00ff10");
    expect(loudness(new Float32Array(8))).toBe(0);
    expect(loudness(new Float32Array(8).fill(1))).toBe(255);
    expect(loudness(new Float32Array(0))).toBe(0);
  });
});
