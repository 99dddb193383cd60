import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accessible } from "./accessible";
import { CHAT, message, settled, TestNode } from "./node";
import { shown } from "./shown";

/** Three hundred messages, of which a few are about needles; the page shows `path`. */
async function haystack(path: string) {
  const node = new TestNode();
  node.history = Array.from({ length: 300 }, (_, i) =>
    message(i % 100 === 20 ? `the <b>needle</b> number ${i}` : `hay ${i}`),
  );
  const page = await shown(node, path);
  return { ...page, field: screen.getByRole("searchbox", { name: "Search messages" }) };
}

const results = () => screen.findByRole("region", { name: "Search results" });

describe("searching", () => {
  it("shows what was found as text, with the words marked", async () => {
    const { field, user } = await haystack("/");
    await user.type(field, "needle");
    const lines = await within(await results()).findAllByRole("link");
    expect(lines).toHaveLength(3);
    expect(lines[0]?.querySelector("mark")?.textContent).toBe("needle");
    expect(lines[0]?.textContent).toContain("the <b>needle</b> number 20");
    expect(lines[0]?.querySelector("b")).toBeNull();
    expect(screen.getByText("3 found")).toBeTruthy();
    await accessible();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("region", { name: "Search results" })).toBeNull();
    expect(screen.getByRole("navigation", { name: "Chats" })).toBeTruthy();
  });

  it("asks within the open chat and in another order, and goes on where it ended", async () => {
    const { node, field, user } = await haystack(`/chat/${CHAT}`);
    await user.type(field, "hay");
    expect(await within(await results()).findAllByRole("link")).toHaveLength(40);
    await user.click(screen.getByRole("button", { name: "More" }));
    await waitFor(async () => expect(within(await results()).getAllByRole("link")).toHaveLength(80));
    await user.click(screen.getByRole("button", { name: "Only in bob" }));
    await user.click(screen.getByRole("button", { name: "Best first" }));
    await waitFor(() =>
      expect(node.asked.filter((r) => r.type === "search").at(-1)).toMatchObject({
        conversation: CHAT,
        order: "best",
        next: null,
      }),
    );
    node.instead.search = () => ({
      code: "bad_text",
      message: "soon is no date.",
      hint: "",
      retry_after: null,
    });
    await user.type(field, " after:soon");
    expect(await screen.findByText("soon is no date.", { exact: false })).toBeTruthy();
  });

  it("is all done by keyboard, and jumps to what is far up", async () => {
    const { node, client, user } = await haystack("/");
    await user.keyboard("{Control>}k{/Control}needle");
    await within(await results()).findAllByRole("link");
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}{Enter}");
    await waitFor(() => expect(client.store.getState().jump?.conversation).toBe(CHAT));
    const found = node.history[20];
    const timeline = client.store.getState().timelines[CHAT];
    expect(client.store.getState().jump?.position).toBe(found?.position);
    expect(timeline).toMatchObject({ more: false, newer: true, messages: { length: 50 } });
    expect(node.asked.filter((r) => r.type === "history")).toHaveLength(0);
  });
});

describe("a copy", () => {
  it("is a file of one chat or of all, for people or for programs", async () => {
    const { user } = await haystack(`/chat/${CHAT}`);
    const saved = async (menu: string, item: string) => {
      await user.click(screen.getByRole("button", { name: menu }));
      const link = await screen.findByRole("menuitem", { name: item });
      const found = [link.getAttribute("href"), link.hasAttribute("download")];
      await user.keyboard("{Escape}");
      return found;
    };
    expect(await saved("Chat options", "Export")).toEqual([
      `/api/export?format=markdown&conversation=${CHAT}`,
      true,
    ]);
    expect(await saved("Chat options", "Export with files")).toEqual([
      `/api/export?format=markdown&conversation=${CHAT}&files=true`,
      true,
    ]);
    expect(await saved("Menu", "Export all chats with files")).toEqual([
      "/api/export?format=markdown&files=true",
      true,
    ]);
    expect(await saved("Menu", "Export all chats")).toEqual(["/api/export?format=markdown", true]);
    expect(await saved("Menu", "Export for programs")).toEqual(["/api/export?format=jsonl", true]);
  });
});

describe("a backup", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is sealed with a secret shown once, and given back with it", async () => {
    const { user } = await haystack("/");
    const asked: [string, RequestInit][] = [];
    const answer = (url: string, init: RequestInit) => {
      asked.push([url, init]);
      const restored = { contacts: 1, conversations: 2, messages: 30, left: 1 };
      if (url === "/api/backup") return new Response("sealed");
      if (asked.length < 3)
        return Response.json(
          { code: "untrusted", message: "The secret is another one.", hint: "", retry_after: null },
          { status: 409 },
        );
      return Response.json(restored);
    };
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => answer(url, init));
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Backup…" }));
    const secret = (await screen.findByText(/^([a-z2-7]{5}-){5}[a-z2-7]$/)).textContent;
    await accessible();
    await user.click(screen.getByRole("button", { name: "Save a backup" }));
    expect(await screen.findByText("The backup is saved.")).toBeTruthy();
    expect(JSON.parse(asked[0]?.[1].body as string)).toEqual({ secret });
    const file = new File(["sealed"], "old.backup");
    await user.upload(screen.getByLabelText("The file"), file);
    await user.type(screen.getByLabelText("What opens it"), "Grüezi mitenand");
    await user.click(screen.getByRole("button", { name: "Give it back" }));
    expect(await screen.findByText("The secret is another one.", { exact: false })).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Give it back" }));
    expect(await screen.findByText("30 messages in 2 chats are back.", { exact: false })).toBeTruthy();
    const header = new Headers(asked[1]?.[1].headers).get("Livechat-Secret") ?? "";
    expect(new TextDecoder().decode(Uint8Array.from(atob(header), (c) => c.charCodeAt(0)))).toBe(
      "Grüezi mitenand",
    );
    expect(asked[1]?.[1].body).toBe(file);
  });
});

describe("a place further up", () => {
  it("grows downwards, takes in nothing behind a hole, and is left for the newest", async () => {
    const { node, client } = await haystack("/");
    const messages = () => client.store.getState().timelines[CHAT]?.messages ?? [];
    await client.history.jump(CHAT, node.history[120]?.position ?? 0);
    expect(messages()).toHaveLength(60);
    const late = message("just now");
    node.history.push(late);
    node.tells({ type: "message_added", conversation: CHAT, message: late });
    await settled();
    expect(messages().some((m) => m.id === late.id)).toBe(false);
    await client.history.fetchNewer(CHAT);
    await client.history.fetchOlder(CHAT);
    expect(messages().map((m) => m.position)).toEqual(node.history.slice(30, 210).map((m) => m.position));
    await client.history.fetchAllAgain();
    expect(client.store.getState().timelines[CHAT]).toMatchObject({ more: true, newer: true });
    await client.history.jump(CHAT, messages()[3]?.position ?? 0);
    await client.history.toNewest(CHAT);
    expect(client.store.getState()).toMatchObject({ jump: null, timelines: { [CHAT]: { newer: false } } });
    expect(messages().at(-1)?.id).toBe(late.id);
  });
});
