import { act, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Message } from "../src/api";
import { mentionsIn, offer } from "../src/text/mentions";
import { accessible } from "./accessible";
import { ALICE, BOB, CAROL, chat, group, member, message, ROOM, TestNode } from "./node";
import { shown } from "./shown";

const DAN = "d5".repeat(32);

/** The group of alice, bob, bob.smith and carol. */
async function meeting(...history: Message[]) {
  const node = new TestNode();
  const members = [
    member("alice", ALICE, "owner"),
    member("bob", BOB),
    member("bob.smith", DAN),
    member("carol", CAROL),
  ];
  node.groups = [group({ members })];
  node.conversations = [chat({ id: ROOM, group: true, title: "hikers" }), chat()];
  node.history = history;
  return shown(node, `/chat/${ROOM}`);
}

const composer = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: /^Message to/ });
const options = () =>
  within(screen.getByRole("listbox", { name: "People to mention" })).getAllByRole("option");
const names = () => options().map((o) => o.textContent);
const picked = () => {
  const id = composer().getAttribute("aria-activedescendant");
  const option = options().find((o) => o.getAttribute("aria-selected") === "true");
  expect(option?.id).toBe(id);
  return option?.textContent;
};
const closed = () => expect(screen.queryByRole("listbox")).toBeNull();

describe("a mention (R-88)", () => {
  it("is a whole name, as the engine judges it", () => {
    const table: [string, boolean][] = [
      ["@bob, come!", true],
      ["ask @Bob.", true],
      ["(@bob)", true],
      ["@bobby knows", false],
      ["me@bob", false],
      ["@bob.smith knows", false],
      ["@bob-", true],
      ["bob", false],
      ["7@bob", false],
      ["é@bob", false],
      ["𝒳@bob", false],
      ["_@bob", true],
      ["@@bob", true],
      ["@bob@bob", true],
      ["😀@bob😀", true],
      ["@bob_", false],
      ["@bob7", false],
      ["@bobé", false],
      ["@bob𝒳", false],
      ["@bob-x", false],
      ["@bob-𝒳", false],
      ["@bob.", true],
      ["@bob..x", true],
      ["@bob's", true],
      ["@bob\nx", true],
      ["@ bob", false],
      ["@", false],
      ["see https://x.example/@bob", false],
      ["HTTP://x.example/?to=@bob, please", false],
      ["<https://x.example>@bob", true],
      ["https://x.example @bob", true],
      ["ftp://@bob", true],
    ];
    for (const [text, called] of table) {
      expect(mentionsIn(text, ["bob"]).length > 0, text).toBe(called);
    }
  });

  it("is of the longer one of two names that fit, and stands where it was written", () => {
    const text = "İ @bob.smith and @BOB. @eve";
    const found = mentionsIn(text, ["bob", "bob.smith", "carol"]);
    expect(found.map((m) => [text.slice(m.start, m.end), m.username])).toEqual([
      ["@bob.smith", "bob.smith"],
      ["@BOB", "bob"],
    ]);
    expect(mentionsIn("@ @x", [""])).toEqual([]);
  });

  it("is shown as such in a message, one's own marked, as text and never as markup", async () => {
    const written = "<b>@bob</b> and @Alice, not @eve or x@carol https://a.example/@bob";
    await meeting(message(written, { mentions_me: true }));
    const text = screen.getByRole("log").querySelector(".message-text");
    expect(text?.textContent).toBe(written);
    const marked = [...(text?.querySelectorAll(".mention") ?? [])].map((m) => [m.textContent, m.className]);
    expect(marked).toEqual([
      ["@bob", "mention"],
      ["@Alice", "mention me"],
    ]);
    expect(text?.querySelector("b")).toBeNull();
    expect(text?.querySelector("a")?.textContent).toBe("https://a.example/@bob");
    expect(within(screen.getByRole("article")).getByText("Mentions you:")).toBeTruthy();
    await accessible();
  });
});

describe("names offered while one writes", () => {
  it("are chosen by keyboard, and inserted with a space", async () => {
    const { node, user } = await meeting();
    await user.type(composer(), "hi @b");
    expect(names()).toEqual(["@bob", "@bob.smith"]);
    expect(picked()).toBe("@bob");
    expect(screen.getByText(/^2 names to mention/)).toBeTruthy();
    await accessible();
    await user.keyboard("{ArrowDown}");
    expect(picked()).toBe("@bob.smith");
    await user.keyboard("{ArrowDown}");
    expect(picked()).toBe("@bob");
    await user.keyboard("{ArrowUp}{Enter}");
    expect(composer().value).toBe("hi @bob.smith ");
    expect(document.activeElement).toBe(composer());
    expect(composer().selectionStart).toBe("hi @bob.smith ".length);
    closed();
    expect(node.count("send")).toBe(0);
    await user.keyboard("come{Enter}");
    expect(node.asked.find((r) => r.type === "send")).toMatchObject({ text: "hi @bob.smith come" });
  });

  it("are chosen by a click, in the middle of a text, with one space after them", async () => {
    const { user } = await meeting();
    await user.type(composer(), "hi  there");
    await user.type(composer(), "@car", { initialSelectionStart: 3, initialSelectionEnd: 3 });
    await user.click(screen.getByRole("option", { name: "@carol" }));
    expect(composer().value).toBe("hi @carol there");
    expect(document.activeElement).toBe(composer());
    expect(composer().selectionStart).toBe("hi @carol ".length);
    closed();
  });

  it("go away by Escape, until the next one, and when the focus leaves", async () => {
    const { user } = await meeting();
    await user.type(composer(), "@b");
    expect(options()).toHaveLength(2);
    await user.keyboard("{Escape}");
    closed();
    await user.keyboard("o");
    closed();
    await user.keyboard(" @c");
    expect(names()).toEqual(["@carol"]);
    await act(async () => composer().blur());
    closed();
    expect(composer().getAttribute("aria-activedescendant")).toBeNull();
  });

  it("don't stand in the way of sending a name that is written whole", async () => {
    const { node, user } = await meeting();
    await user.type(composer(), "@carol{Enter}");
    expect(node.asked.find((r) => r.type === "send")).toMatchObject({ text: "@carol" });
  });

  it("are those of this conversation: the other one of a direct chat, by what they call themselves too", async () => {
    const node = new TestNode();
    node.history = [message("@bob")];
    node.instead.contacts = () => ({
      type: "contacts",
      contacts: [
        {
          account: BOB,
          username: "bob",
          conversation: chat().id,
          safety_number: "",
          display_name: "Robert Long",
          verified: false,
          new_keys: false,
          standing: "accepted",
        },
      ],
    });
    const { user } = await shown(node, `/chat/${chat().id}`);
    await user.type(composer(), "@lo");
    expect(names()).toEqual(["@bobRobert Long"]);
    await user.keyboard("{Tab}");
    expect(composer().value).toBe("@bob ");
  });

  it("come after a place where a mention may begin, others' only, those that begin so first", () => {
    const people = ["anna", "Ann", "hannah", "me"].map((username) => ({
      account: username,
      username,
      displayName: username === "hannah" ? "Big Ann" : null,
      own: username === "me",
    }));
    const at = (text: string) => offer(text, text.length, people)?.candidates.map((c) => c.username);
    expect(at("@ann")).toEqual(["anna", "Ann", "hannah"]);
    expect(at("@")).toEqual(["anna", "Ann", "hannah"]);
    expect(at("(@h")).toEqual(["hannah"]);
    expect(at("x@ann")).toBeUndefined();
    expect(at("@ann ")).toBeUndefined();
    expect(at("@me")).toBeUndefined();
    expect(at("@anna")).toBeUndefined();
    expect(offer("@ann", 0, people)).toBeNull();
  });
});

describe("somebody who was mentioned", () => {
  it("sees it in the list, at the unread line and in the title, muted or not", async () => {
    const node = new TestNode();
    const first = message("hello all");
    const call = message("@alice?", { mentions_me: true });
    node.groups = [group()];
    node.history = [message("old", { mentions_me: true, position: first.position - 1 }), first, call];
    const muted = {
      muted_until: Date.now() + 3_600_000,
      unread: 2,
      unread_mentions: 1,
      unread_from: first.position,
      last: call,
    };
    node.conversations = [chat({ id: ROOM, group: true, title: "hikers", ...muted }), chat({ unread: 1 })];
    await shown(node, `/chat/${ROOM}`);
    const line = screen.getByRole("link", { name: /hikers/ });
    expect(within(line).getByText("unread, you were mentioned")).toBeTruthy();
    expect(within(screen.getByRole("link", { name: /No messages yet/ })).queryByText(/mentioned/)).toBeNull();
    expect(screen.getByText("New messages, you were mentioned")).toBeTruthy();
    expect(document.title).toBe("(2) hikers · LiveChat");
    await accessible();
  });

  it("hears it, also from a muted chat, but not from a blocked one", async () => {
    const node = new TestNode();
    node.groups = [group()];
    const muted_until = Date.now() + 3_600_000;
    node.conversations = [
      chat({ id: ROOM, group: true, title: "hikers", muted_until }),
      chat({ standing: "blocked" }),
    ];
    await shown(node);
    const says = (conversation: string, text: string, mentions_me: boolean) =>
      act(async () =>
        node.tells({ type: "message_added", conversation, message: message(text, { mentions_me }) }),
      );
    await says(ROOM, "psst", false);
    expect(screen.queryByText(/^bob/, { selector: "[role=status] span" })).toBeNull();
    await says(chat().id, "@alice", true);
    expect(screen.queryByText(/^bob/, { selector: "[role=status] span" })).toBeNull();
    await says(ROOM, "@alice", true);
    expect(await screen.findByText("bob mentioned you in hikers")).toBeTruthy();
  });
});
