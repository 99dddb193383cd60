import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Message } from "../src/api";
import { accessible } from "./accessible";
import { BOB, CHAT, chat, message, TestNode } from "./node";
import { shown, type User } from "./shown";

const HERE = `/chat/${CHAT}`;

/** One chat with what was said there, open. */
async function talking(...history: Message[]) {
  const node = new TestNode();
  node.history = history;
  return shown(node, HERE);
}

const row = (text: string) =>
  screen.getByText(text, { selector: ".message-text" }).closest(".row") as HTMLElement;
const composer = () => screen.getByRole("textbox", { name: /^Message to/ });

async function does(user: User, text: string, deed: string) {
  await user.click(within(row(text)).getByRole("button", { name: "Message actions" }));
  await user.click(await screen.findByRole("menuitem", { name: deed }));
}

describe("a message", () => {
  it("is answered: quoted above the composer, and in the answer", async () => {
    const theirs = message("shall we meet?");
    const { node, user } = await talking(theirs);
    await does(user, "shall we meet?", "Reply");
    await waitFor(() => expect(document.activeElement).toBe(composer()));
    expect(screen.getByText("Reply to", { exact: false }).textContent).toBe("Reply to bob");
    await accessible();
    await user.keyboard("at noon{Enter}");
    expect(node.asked.find((r) => r.type === "send")).toMatchObject({
      text: "at noon",
      reply_to: theirs.position,
    });
    expect(screen.queryByText("Reply to", { exact: false })).toBeNull();
    // Escape leaves it without a word.
    await does(user, "shall we meet?", "Reply");
    await waitFor(() => expect(document.activeElement).toBe(composer()));
    await user.keyboard("{Escape}alone{Enter}");
    expect(node.asked.filter((r) => r.type === "send").at(-1)).toMatchObject({ reply_to: null });
  });

  it("shows what it answers, or that it is gone", async () => {
    const quote = { id: "0".repeat(32), author: BOB, author_name: "bob", position: 1, text: "<b>when</b>" };
    await talking(
      message("noon", { reply_to: quote, own: true }),
      message("no", { reply_to: { ...quote, position: null, text: null } }),
    );
    expect(within(row("noon")).getByText("<b>when</b>")).toBeTruthy();
    expect(within(row("no")).getByText("This message isn't there any more.")).toBeTruthy();
  });

  it("is changed in the composer, says so, and has its history", async () => {
    const { node, user } = await talking(message("helo", { own: true }));
    await user.type(composer(), "half a draft");
    await does(user, "helo", "Edit");
    expect(composer()).toHaveProperty("value", "helo");
    await waitFor(() => expect(document.activeElement).toBe(composer()));
    await user.clear(composer());
    await user.type(composer(), "hello{Enter}");
    await waitFor(() => expect(within(row("hello")).getByText("edited")).toBeTruthy());
    expect(node.asked.find((r) => r.type === "edit")).toMatchObject({ text: "hello" });
    expect(node.count("send")).toBe(0);
    expect(composer()).toHaveProperty("value", "half a draft");
    await does(user, "hello", "Earlier versions…");
    const versions = within(await screen.findByRole("list", { name: /Versions/ })).getAllByRole("listitem");
    expect(versions.map((v) => v.querySelector("p")?.textContent)).toEqual(["first", "second"]);
    await accessible();
  });

  it("stays in the composer when a change is refused, with the reason", async () => {
    const { node, user } = await talking(message("helo", { own: true }));
    node.instead.edit = () => ({
      code: "store_failed",
      message: "The disk is full.",
      hint: "",
      retry_after: null,
    });
    await does(user, "helo", "Edit");
    await user.type(composer(), "!{Enter}");
    expect((await screen.findByRole("alert")).textContent).toContain("The disk is full.");
    expect(composer()).toHaveProperty("value", "helo!");
    await user.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("of somebody else can't be changed, nor deleted for everyone", async () => {
    const { user } = await talking(message("theirs"));
    await user.click(within(row("theirs")).getByRole("button", { name: "Message actions" }));
    await screen.findByRole("menuitem", { name: "Reply" });
    expect(screen.queryByRole("menuitem", { name: "Edit" })).toBeNull();
    await accessible();
    await user.click(screen.getByRole("menuitem", { name: "Delete…" }));
    const sheet = await screen.findByRole("alertdialog");
    expect(within(sheet).queryByRole("button", { name: "Delete for everyone" })).toBeNull();
    await user.click(within(sheet).getByRole("button", { name: "Delete for me" }));
    await waitFor(() => expect(screen.queryByText("theirs", { selector: ".message-text" })).toBeNull());
  });

  it("is withdrawn for everyone", async () => {
    const { node, user } = await talking(message("oops", { own: true }));
    await does(user, "oops", "Delete…");
    await user.click(await screen.findByRole("button", { name: "Delete for everyone" }));
    expect(await screen.findByText("This message was deleted.")).toBeTruthy();
    expect(node.asked.find((r) => r.type === "delete")).toMatchObject({ for_everyone: true });
  });

  it("takes reactions from the menu, and gives them back by a click", async () => {
    const { node, user } = await talking(message("we won"));
    await does(user, "we won", "🎉");
    const mine = await screen.findByRole("button", { name: "🎉 by alice" });
    expect(mine.getAttribute("aria-pressed")).toBe("true");
    await accessible();
    await user.click(mine);
    await waitFor(() => expect(screen.queryByRole("button", { name: "🎉 by alice" })).toBeNull());
    expect(node.asked.filter((r) => r.type === "react").map((r) => r.type === "react" && r.on)).toEqual([
      true,
      false,
    ]);
  });

  it("has its menu at a right click and by the keyboard", async () => {
    const { user } = await talking(message("here"));
    fireEvent.contextMenu(screen.getByText("here", { selector: ".message-text" }));
    expect(await screen.findByRole("menuitem", { name: "Reply" })).toBeTruthy();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("menuitem", { name: "Reply" })).toBeNull());
    within(row("here")).getByRole("button", { name: "Message actions" }).focus();
    await user.keyboard("{Enter}");
    expect(await screen.findByRole("menuitem", { name: "Reply" })).toBeTruthy();
  });

  it("is passed on, and says so", async () => {
    const { node, user } = await talking(message("news"), message("old news", { forwarded: true }));
    expect(within(row("old news")).getByText("Forwarded")).toBeTruthy();
    await does(user, "news", "Forward…");
    const sheet = await screen.findByRole("dialog", { name: "Forward to" });
    await accessible();
    await user.click(within(sheet).getByRole("button", { name: /bob/ }));
    expect(node.asked.find((r) => r.type === "forward")).toMatchObject({ from: CHAT, to: CHAT });
  });

  it("says that it disappears, and goes when the node says so", async () => {
    const soon = message("psst", { timer: 3_600, expires_at: Date.now() + 1_800_000 });
    const { node } = await talking(soon, message("", { body: { type: "timer", seconds: 3_600 } }));
    expect(within(row("psst")).getByRole("img", { name: "Disappears within 30 minutes" })).toBeTruthy();
    const line = document.querySelector(".notice")?.textContent?.trim();
    expect(line).toBe("bob let messages disappear after 1 hour.");
    await act(async () =>
      node.tells({ type: "message_removed", conversation: CHAT, id: soon.id, position: soon.position }),
    );
    expect(screen.queryByText("psst", { selector: ".message-text" })).toBeNull();
  });
});

describe("a chat", () => {
  it("with somebody new is a request: accepted or blocked", async () => {
    const node = new TestNode();
    node.conversations = [chat({ standing: "request" })];
    node.history = [message("hi, it's me")];
    const { user } = await shown(node, HERE);
    const banner = screen.getByRole("region", { name: "Message request" });
    expect(screen.getByText(/^Request/)).toBeTruthy();
    await accessible();
    await user.click(within(banner).getByRole("button", { name: "Accept" }));
    await waitFor(() => expect(screen.queryByRole("region", { name: "Message request" })).toBeNull());
  });

  it("is blocked and unblocked; nothing can be written meanwhile", async () => {
    const { user } = await talking(message("spam"));
    await user.click(screen.getByRole("button", { name: "Chat options" }));
    await user.click(await screen.findByRole("menuitem", { name: "Block" }));
    const banner = await screen.findByRole("region", { name: "Blocked" });
    expect(screen.queryByRole("textbox", { name: /^Message to/ })).toBeNull();
    await accessible();
    await user.click(within(banner).getByRole("button", { name: "Unblock" }));
    await waitFor(() => expect(composer()).toBeTruthy());
  });

  it("is pinned, muted and archived, and shows it in the list", async () => {
    const { node, user } = await talking(message("hi"));
    const choose = async (deed: string) => {
      await user.click(screen.getByRole("button", { name: "Chat options" }));
      await user.click(await screen.findByRole("menuitem", { name: deed }));
    };
    await choose("Pin to the top");
    expect(await screen.findByRole("img", { name: "Pinned" })).toBeTruthy();
    await choose("Mute for 8 hours");
    expect(await screen.findByRole("img", { name: "Muted" })).toBeTruthy();
    await accessible();
    await choose("Archive");
    const archive = await screen.findByRole("button", { name: "Archive (1)" });
    await user.click(archive);
    expect(screen.getByRole("list", { name: "Archive" })).toBeTruthy();
    expect(node.asked.filter((r) => ["pin", "mute", "archive"].includes(r.type))).toHaveLength(3);
  });

  it("has a timer", async () => {
    const { node, user } = await talking(message("hi"));
    await user.click(screen.getByRole("button", { name: "Chat options" }));
    await user.click(await screen.findByRole("menuitemradio", { name: "1 day" }));
    expect(await screen.findByText(/messages disappear after 1 day/)).toBeTruthy();
    expect(node.asked.find((r) => r.type === "set_timer")).toMatchObject({ seconds: 86_400 });
  });

  it("shows who types, and says that one types, but not at each letter", async () => {
    const { node, user } = await talking(message("hi"));
    await act(async () =>
      node.tells({ type: "typing", conversation: CHAT, account: BOB, name: "bob", typing: true }),
    );
    expect(screen.getByText(/is typing…/).textContent).toBe("bob is typing…");
    await act(async () =>
      node.tells({ type: "typing", conversation: CHAT, account: BOB, name: "bob", typing: false }),
    );
    expect(screen.queryByText(/is typing…/)).toBeNull();
    await user.type(composer(), "hello");
    expect(node.count("typing")).toBe(1);
  });

  it("keeps its draft at the node, once typing rested", async () => {
    const { node, user } = await talking(message("hi"));
    await user.type(composer(), "to be con");
    expect(node.count("set_draft")).toBe(0);
    await act(async () => node.passes(1_000));
    expect(node.asked.filter((r) => r.type === "set_draft")).toEqual([
      { type: "set_draft", conversation: CHAT, text: "to be con" },
    ]);
  });

  it("has the draft that the node kept", async () => {
    const node = new TestNode();
    node.conversations = [chat({ draft: "from yesterday" })];
    await shown(node, HERE);
    expect(composer()).toHaveProperty("value", "from yesterday");
  });

  it("draws the line where the node says that the new ones begin", async () => {
    const node = new TestNode();
    const second = message("new");
    node.history = [message("old", { position: second.position - 1 }), second, message("newer")];
    node.conversations = [chat({ unread: 2, unread_from: second.position })];
    await shown(node, HERE);
    expect(within(row("new")).getByText("New messages")).toBeTruthy();
  });

  it("that is muted isn't said to screen readers", async () => {
    const node = new TestNode();
    node.conversations = [chat({ muted_until: Date.now() + 60_000 })];
    await shown(node, HERE);
    await act(async () =>
      node.tells({ type: "message_added", conversation: CHAT, message: message("psst") }),
    );
    expect(screen.queryByText("bob: psst")).toBeNull();
  });
});
