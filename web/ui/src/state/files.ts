import type { Transfer, Voice } from "../api";
import { hexLevels } from "../text/sound";
import type { Desk } from "./desk";
import { explain } from "./explain";
import type { Problem } from "./pending";

/** Where the bytes of files go to and come from: too many for the socket. */
const FILES = "/api/files";

/** Names a transfer. */
export function keyOf({
  conversation,
  message,
  up,
}: Pick<Transfer, "conversation" | "message" | "up">): string {
  return `${conversation}/${message}/${up ? "up" : "down"}`;
}

/** The address of a file that is on the node's device; `show` for pictures inside the page. */
export function fileUrl(conversation: string, position: number, show = false): string {
  return `${FILES}/${conversation}/${position}${show ? "?show=true" : ""}`;
}

/** A voice note on the node's device, for playing: only what the node found to be sound. */
export async function soundOf(conversation: string, position: number): Promise<Blob> {
  const url = fileUrl(conversation, position, true);
  const answer = await fetch(url, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("audio/")) throw new Error("no sound");
  return answer.blob();
}

/** Files on their way, and handing them over to the node. */
export class Files {
  private readonly desk: Desk;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async fetchAll(): Promise<void> {
    const { transfers } = await this.desk.ask({ type: "transfers" });
    this.desk.store.setState({ transfers: Object.fromEntries(transfers.map((t) => [keyOf(t), t])) });
  }

  /** Whether files go straight from device to device. */
  async goesDirectly(): Promise<boolean> {
    return (await this.desk.ask({ type: "direct_files" })).on;
  }

  async goDirectly(on: boolean): Promise<void> {
    await this.desk.ask({ type: "set_direct_files", on });
  }

  take(transfer: Transfer): void {
    const over = transfer.state.state === "done" || transfer.state.state === "cancelled";
    this.desk.store.setState(({ transfers }) => {
      const { [keyOf(transfer)]: _, ...others } = transfers;
      return { transfers: over ? others : { ...others, [keyOf(transfer)]: transfer } };
    });
  }

  /** Files that somebody may want to send; none: not after all. What the relay has room for is asked meanwhile. */
  choose(conversation: string, files: readonly File[]): void {
    this.desk.store.setState(({ chosen }) => {
      const { [conversation]: _, ...others } = chosen;
      return { chosen: files.length > 0 ? { ...others, [conversation]: files } : others };
    });
    if (files.length > 0) void this.fetchSpace();
  }

  leaveOut(conversation: string, file: File): void {
    const { chosen } = this.desk.store.getState();
    this.choose(
      conversation,
      (chosen[conversation] ?? []).filter((f) => f !== file),
    );
  }

  private async fetchSpace(): Promise<void> {
    const space = await this.desk.ask({ type: "file_space" }).catch(() => null);
    this.desk.store.setState({ space });
  }

  /** Hands files to the node, one after the other; from then on they go by themselves. */
  async send(
    conversation: string,
    files: readonly File[],
    asIs = false,
    voice: Voice | null = null,
  ): Promise<void> {
    for (const file of files) {
      this.handing(conversation, 1);
      const problem = await this.hand(conversation, file, asIs, voice);
      this.handing(conversation, -1);
      if (problem) this.desk.store.setState({ refusal: problem });
    }
  }

  private async hand(
    conversation: string,
    file: File,
    asIs: boolean,
    voice: Voice | null,
  ): Promise<Problem | null> {
    const about = new URLSearchParams({ name: file.name || "file" });
    if (asIs) about.set("as_is", "true");
    if (voice) {
      about.set("millis", String(voice.millis));
      about.set("levels", hexLevels(voice.levels));
    }
    try {
      const answer = await fetch(`${FILES}/${conversation}?${about}`, {
        method: "POST",
        headers: { "Content-Type": file.type || "application/octet-stream" },
        body: file,
        cache: "no-store",
        credentials: "same-origin",
      });
      const body: unknown = await answer.json().catch(() => null);
      // How it goes, events tell: by the time of this answer it may be over.
      return answer.ok ? null : refusalIn(body);
    } catch (error) {
      return explain(error);
    }
  }

  private handing(conversation: string, more: number): void {
    this.desk.store.setState(({ handing }) => ({
      handing: { ...handing, [conversation]: (handing[conversation] ?? 0) + more },
    }));
  }
}

function refusalIn(body: unknown): Problem {
  if (typeof body === "object" && body !== null && "message" in body && "hint" in body) {
    return { message: String(body.message), hint: String(body.hint) };
  }
  return { message: "The file couldn't be handed to the node.", hint: "Reload the page and try again." };
}
