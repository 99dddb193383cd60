import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { App } from "../src/App";
import type { Message, MessageBody } from "../src/api";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import { amount, previewUrl } from "../src/text/files";
import { CHAT, message, TestNode, transfer } from "./node";

const FUTURE = Math.floor(Date.now() / 1000) + 86_400;

function file(change: Partial<Extract<MessageBody, { type: "file" }>> = {}, more: Partial<Message> = {}) {
  const body: MessageBody = {
    type: "file",
    name: "notes.pdf",
    media: "application/pdf",
    size: 1_500,
    until: FUTURE,
    preview: null,
    voice: null,
    here: false,
    ...change,
  };
  return message("", { body, ...more });
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

/** Answers what is posted to the node; keeps what it was. */
function handsOver(answer: { status: number; body: unknown }) {
  const posted: { url: string; init: RequestInit }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    posted.push({ url, init });
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  });
  return posted;
}

afterEach(() => vi.unstubAllGlobals());

describe("a file that came", () => {
  it("is fetched when asked for, shows how far it is, and is saved from this node", async () => {
    const theirs = file();
    const { node, user } = await talking(theirs);
    expect(screen.getByText("notes.pdf")).toBeTruthy();
    expect(screen.getByText("1.4 KB")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Save" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Download" }));
    expect(node.asked.find((r) => r.type === "fetch_file")).toMatchObject({ position: theirs.position });

    const coming = { message: theirs.id, up: false, done: 32_768 };
    await act(async () => node.tells({ type: "transfer_changed", transfer: transfer(coming) }));
    expect(screen.getByRole("progressbar").getAttribute("value")).toBe("32768");
    expect(screen.getByText("50 % by the relay")).toBeTruthy();
    await accessible();
    const away = { state: "waiting" as const, reason: "The relay can't be reached." };
    await act(async () =>
      node.tells({ type: "transfer_changed", transfer: transfer({ ...coming, state: away }) }),
    );
    expect(screen.getByText("Waiting. The relay can't be reached.")).toBeTruthy();

    await act(async () => {
      node.tells({
        type: "transfer_changed",
        transfer: transfer({ ...coming, done: 65_536, state: { state: "done" } }),
      });
      const body = { ...theirs.body, here: true } as MessageBody;
      node.tells({ type: "message_changed", conversation: CHAT, message: { ...theirs, body } });
    });
    expect(screen.queryByRole("progressbar")).toBeNull();
    const save = screen.getByRole("link", { name: "Save" });
    expect(save.getAttribute("href")).toBe(`/api/files/${CHAT}/${theirs.position}`);
    expect(save.getAttribute("download")).toBe("notes.pdf");
  });

  it("is shown as a picture only with a preview, and whole only when it is here", async () => {
    const picture = { name: "<img src=x>.jpg", preview: "_9j-4AAQ", media: "image/jpeg" };
    const there = file(picture);
    const here = file({ ...picture, here: true });
    await talking(there, here, file({ media: "image/svg+xml", name: "x.svg", here: true }));
    const [first, second, ...more] = screen.getAllByRole("img", { name: "<img src=x>.jpg" });
    expect(first?.getAttribute("src")).toBe("data:image/jpeg;base64,/9j+4AAQ");
    expect(second?.getAttribute("src")).toBe(`/api/files/${CHAT}/${here.position}?show=true`);
    expect(more).toEqual([]);
    expect(document.querySelector('img[src*="svg"]')).toBeNull();
    // What turns out not to be one falls back to its preview.
    if (second) fireEvent.error(second);
    expect(second?.getAttribute("src")).toBe("data:image/jpeg;base64,/9j+4AAQ");
  });

  it("says when the relay doesn't have it any more", async () => {
    await talking(file({ until: 1_000 }));
    expect(screen.getByText("expired")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Download" })).toBeNull();
  });

  it("is answered, reacted to and deleted like a message", async () => {
    const { user } = await talking(file({}, { own: true }));
    await user.click(screen.getByRole("button", { name: "Message actions" }));
    const names = (await screen.findAllByRole("menuitem")).map((i) => i.textContent);
    expect(names).toContain("Reply");
    expect(names).toContain("Forward…");
    expect(names).not.toContain("Edit");
    await user.click(screen.getByRole("menuitem", { name: "Delete…" }));
    expect(await screen.findByRole("button", { name: "Delete for everyone" })).toBeTruthy();
  });
});

describe("a file to be sent", () => {
  it("is chosen, handed to the node and watched until it is a message", async () => {
    const { node, user } = await talking();
    node.space = { used: 2 ** 29, quota: 2 ** 31, largest: 2 ** 30, kept_seconds: 30 * 86_400 };
    const posted = handsOver({ status: 200, body: transfer({ done: 100 }) });
    const notes = new File(["x".repeat(1_500)], "notes.pdf", { type: "application/pdf" });
    await user.upload(screen.getByLabelText("Files to send"), notes);
    const chosen = await screen.findByRole("region", { name: "Files to be sent" });
    expect(within(chosen).getByText("notes.pdf")).toBeTruthy();
    // What it takes is said before anything leaves.
    const until = new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(
      Date.now() + 30 * 86_400_000,
    );
    await within(chosen).findByText(
      `Sealed here, then kept by the relay until ${until}. 1.5 GB of your 2.0 GB there are free.`,
    );
    expect(posted).toHaveLength(0);
    await accessible();
    await user.click(within(chosen).getByRole("button", { name: "Send the file" }));
    await waitFor(() => expect(posted).toHaveLength(1));
    expect(screen.queryByRole("region", { name: "Files to be sent" })).toBeNull();
    expect(posted[0]?.url).toBe(`/api/files/${CHAT}?name=notes.pdf`);
    expect(posted[0]?.init).toMatchObject({ method: "POST", body: notes, credentials: "same-origin" });
    await act(async () => node.tells({ type: "transfer_changed", transfer: transfer({ done: 100 }) }));
    const list = await screen.findByRole("list", { name: "Files being sent" });
    expect(within(list).getByText("notes.pdf")).toBeTruthy();
    await accessible();
    await user.click(within(list).getByRole("button", { name: "Stop" }));
    expect(node.asked.at(-1)).toEqual({
      type: "cancel_transfer",
      conversation: CHAT,
      message: "e".repeat(32),
    });
    await act(async () =>
      node.tells({ type: "transfer_changed", transfer: transfer({ state: { state: "cancelled" } }) }),
    );
    expect(screen.queryByRole("list", { name: "Files being sent" })).toBeNull();
  });

  it("that is sent before the node's answer comes isn't shown as on its way", async () => {
    const { node, user } = await talking();
    vi.stubGlobal("fetch", async () => {
      for (const state of ["running", "done"] as const) {
        node.tells({ type: "transfer_changed", transfer: transfer({ state: { state } }) });
      }
      return new Response(JSON.stringify(transfer({ done: 0 })), { status: 200 });
    });
    await user.upload(screen.getByLabelText("Files to send"), new File(["x"], "notes.pdf"));
    await user.click(await screen.findByRole("button", { name: "Send the file" }));
    await act(async () => {});
    expect(screen.queryByRole("list", { name: "Files being sent" })).toBeNull();
  });

  it("can be pasted or dropped; text stays text", async () => {
    const { user } = await talking();
    const posted = handsOver({ status: 200, body: transfer() });
    const sent = async () => user.click(await screen.findByRole("button", { name: "Send the file" }));
    const shot = new File(["png"], "image.png", { type: "image/png" });
    const composer = screen.getByRole("textbox", { name: /^Message to/ });
    fireEvent.paste(composer, { clipboardData: { files: [shot], getData: () => "" } });
    await sent();
    await waitFor(() => expect(posted).toHaveLength(1));
    fireEvent.paste(composer, { clipboardData: { files: [shot], getData: () => "cells" } });
    const dataTransfer = { types: ["Files"], files: [shot] };
    fireEvent.drop(screen.getByRole("region", { name: /^Chat with/ }), { dataTransfer });
    await user.click(await screen.findByRole("checkbox", { name: /^Leave pictures as they are/ }));
    await sent();
    await waitFor(() => expect(posted).toHaveLength(2));
    expect(posted.map((p) => p.url)).toEqual([
      `/api/files/${CHAT}?name=image.png`,
      `/api/files/${CHAT}?name=image.png&as_is=true`,
    ]);
    fireEvent.drop(screen.getByRole("region", { name: /^Chat with/ }), {
      dataTransfer: { types: ["text/plain"], files: [] },
    });
    await act(async () => {});
    expect(posted).toHaveLength(2);
    expect(screen.queryByRole("button", { name: "Send the file" })).toBeNull();
  });

  it("that the relay has no room for isn't handed over, nor what was left out", async () => {
    const { node, user } = await talking();
    const posted = handsOver({ status: 200, body: transfer() });
    node.space = { used: 90, quota: 100, largest: 50, kept_seconds: 60 };
    const files = ["a", "b", "c"].map((name) => new File(["123456"], name));
    await user.upload(screen.getByLabelText("Files to send"), files);
    expect((await screen.findByRole("alert")).textContent).toMatch(
      /^Too much: of your 100 bytes .* 10 bytes are free/,
    );
    expect((screen.getByRole("button", { name: "Send 3 files" }) as HTMLButtonElement).disabled).toBe(true);
    await user.click(screen.getByRole("button", { name: "Leave out a" }));
    await user.click(screen.getByRole("button", { name: "Leave out c" }));
    await user.click(await screen.findByRole("button", { name: "Send the file" }));
    await waitFor(() => expect(posted).toHaveLength(1));
    expect(posted[0]?.url).toBe(`/api/files/${CHAT}?name=b`);

    await user.upload(screen.getByLabelText("Files to send"), new File(["x".repeat(51)], "large"));
    expect((await screen.findByRole("alert")).textContent).toBe(
      "large is too large: a file has at most 50 bytes.",
    );
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("region", { name: "Files to be sent" })).toBeNull();
    expect(posted).toHaveLength(1);
  });

  it("waits for a relay that is away, and says so", async () => {
    const { node, user } = await talking();
    node.instead.file_space = () => ({
      code: "relay_unreachable",
      message: "Away.",
      hint: "",
      retry_after: null,
    });
    await user.upload(screen.getByLabelText("Files to send"), new File(["x"], "x"));
    expect(await screen.findByText(/leave when it is there/)).toBeTruthy();
    expect((screen.getByRole("button", { name: "Send the file" }) as HTMLButtonElement).disabled).toBe(false);
  });

  it("that is refused says why", async () => {
    const { user } = await talking();
    handsOver({
      status: 413,
      body: { code: "too_large", message: "A file has at most 1 GiB.", hint: "Cut it." },
    });
    await user.upload(screen.getByLabelText("Files to send"), new File(["x"], "x"));
    await user.click(await screen.findByRole("button", { name: "Send the file" }));
    expect(await screen.findByText(/A file has at most 1 GiB\./)).toBeTruthy();
    expect(screen.queryByRole("list", { name: "Files being sent" })).toBeNull();
  });

  it("that failed later stays until it was seen", async () => {
    const { node, user } = await talking();
    const state = { state: "failed" as const, message: "No room.", hint: "Delete some." };
    await act(async () => node.tells({ type: "transfer_changed", transfer: transfer({ state }) }));
    expect(screen.getByRole("alert").textContent).toBe("No room. Delete some.");
    await user.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(node.asked.at(-1)?.type).toBe("cancel_transfer");
  });
});

it("amounts and previews are written as browsers and people want them", () => {
  expect([0, 1, 1_023, 1_024, 1_536, 10 * 2 ** 20, 2 ** 30].map(amount)).toEqual([
    "0 bytes",
    "1 byte",
    "1023 bytes",
    "1.0 KB",
    "1.5 KB",
    "10 MB",
    "1.0 GB",
  ]);
  expect(previewUrl("a-b_")).toBe("data:image/jpeg;base64,a+b/");
});

describe("files from device to device", () => {
  it("are a matter of consent, which is off until somebody turns it on", async () => {
    const { node, user } = await talking();
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(screen.getByRole("menuitem", { name: "Files…" }));
    const choice = await screen.findByRole("checkbox", { name: "Send and fetch files directly" });
    await waitFor(() => expect((choice as HTMLInputElement).disabled).toBe(false));
    expect((choice as HTMLInputElement).checked).toBe(false);
    expect(screen.getByText(/sees the other's network address/)).toBeTruthy();
    await accessible();
    await user.click(choice);
    await waitFor(() => expect((choice as HTMLInputElement).checked).toBe(true));
    expect(node.direct).toBe(true);
  });

  it("say which way they go, and don't expire while the relay never had them", async () => {
    const theirs = file({ until: 0 });
    const { node, user } = await talking(theirs);
    await user.click(screen.getByRole("button", { name: "Download" }));
    const coming = transfer({ message: theirs.id, up: false, done: 32_768, direct: true });
    await act(async () => node.tells({ type: "transfer_changed", transfer: coming }));
    expect(screen.getByText("50 % directly")).toBeTruthy();
    await act(async () => node.tells({ type: "transfer_changed", transfer: { ...coming, direct: false } }));
    expect(screen.getByText("50 % by the relay")).toBeTruthy();
  });
});
