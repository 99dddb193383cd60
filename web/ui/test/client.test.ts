import { describe, expect, it } from "vitest";
import { Client } from "../src/state/client";
import { ALICE, CHAT, chat, message, settled, status, TestNode } from "./node";

async function started(node = new TestNode()) {
  const client = new Client(node.surroundings());
  client.start();
  await settled();
  return { node, client, state: () => client.store.getState() };
}

const texts = (list: readonly { body: { type: string } }[] | undefined) =>
  list?.map((m) => ("text" in m.body ? m.body.text : "?"));

describe("the client", () => {
  it("fetches everything once the line is open", async () => {
    const { state } = await started();
    expect(state().status?.live_users).toBe(7);
    expect(state().conversations).toHaveLength(1);
    expect(state().contacts).toHaveLength(1);
  });

  it("asks for nothing of an account that isn't logged in", async () => {
    const node = new TestNode();
    node.status = status({ account: { state: "logged_out", username: "alice" } });
    const { state } = await started(node);
    expect(node.count("conversations")).toBe(0);
    expect(state().conversations).toBeNull();
  });

  it("pages backwards without holes or doubles", async () => {
    const node = new TestNode();
    node.history = Array.from({ length: 150 }, (_, i) => message(`${i}`));
    const { client, state } = await started(node);
    await client.history.open(CHAT);
    expect(state().timelines[CHAT]).toMatchObject({ more: true, messages: { length: 60 } });
    // Twice at once is once.
    await Promise.all([client.history.fetchOlder(CHAT), client.history.fetchOlder(CHAT)]);
    await client.history.fetchOlder(CHAT);
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(node.history.map((_, i) => `${i}`));
    expect(state().timelines[CHAT]?.more).toBe(false);
    await client.history.fetchOlder(CHAT);
    expect(node.count("history")).toBe(3);
  });

  it("shows what came while the line was down, and ticks that moved", async () => {
    const node = new TestNode();
    const own = message("mine", { own: true });
    node.history = [own];
    const { client, state } = await started(node);
    await client.history.open(CHAT);
    await node.dies();
    node.history = [{ ...own, delivery: "read" }, message("theirs")];
    node.status = status({ live_users: 9 });
    node.up = true;
    await node.passes(1_000);
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(["mine", "theirs"]);
    expect(state().timelines[CHAT]?.messages[0]?.delivery).toBe("read");
    expect(state().status?.live_users).toBe(9);
  });

  it("leaves no hole when more came than a page holds", async () => {
    const node = new TestNode();
    node.history = [message("old")];
    const { client, state } = await started(node);
    await client.history.open(CHAT);
    await node.dies();
    for (let i = 0; i < 2_000; i += 1) node.history.push(message(`${i}`));
    node.up = true;
    await node.passes(1_000);
    const shown = state().timelines[CHAT];
    expect(shown?.more).toBe(true);
    expect(texts(shown?.messages)).toEqual(texts(node.history.slice(-(shown?.messages.length ?? 0))));
  });

  it("fetches everything again when it lagged", async () => {
    const { node, client, state } = await started();
    await client.history.open(CHAT);
    node.history.push(message("missed"));
    node.tells({ type: "lagged" });
    await settled();
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(["missed"]);
  });

  it("takes a message over, shows it at once and hands it to the node", async () => {
    const { node, client, state } = await started();
    await client.history.open(CHAT);
    client.outgoing.send(CHAT, "hello");
    expect(state().pending[CHAT]).toMatchObject([{ text: "hello" }]);
    await settled();
    expect(state().pending[CHAT]).toBeUndefined();
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(["hello"]);
    expect(node.asked.find((r) => r.type === "send")).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it("loses nothing while the line is down, and keeps the order", async () => {
    const { node, client, state } = await started();
    await client.history.open(CHAT);
    await node.dies();
    for (const text of ["one", "two", "three"]) client.outgoing.send(CHAT, text);
    await settled();
    expect(state().pending[CHAT]).toHaveLength(3);
    node.up = true;
    await node.passes(1_000);
    expect(texts(node.history)).toEqual(["one", "two", "three"]);
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(["one", "two", "three"]);
    expect(state().pending[CHAT]).toBeUndefined();
  });

  it("sends once, under one id, when the answer to a send was lost", async () => {
    const { node, client, state } = await started();
    await client.history.open(CHAT);
    node.instead.send = (request) => {
      if (request.type === "send")
        node.history.push(message(request.text, { own: true, id: request.id ?? "" }));
      return null;
    };
    client.outgoing.send(CHAT, "hello");
    await settled();
    node.instead = {};
    await node.dies();
    node.up = true;
    await node.passes(1_000);
    const sends = node.asked.filter((r) => r.type === "send");
    expect(new Set(sends.map((r) => r.id)).size).toBe(1);
    expect(texts(node.history)).toEqual(["hello"]);
    expect(texts(state().timelines[CHAT]?.messages)).toEqual(["hello"]);
    expect(state().pending[CHAT]).toBeUndefined();
  });

  it("keeps a refused message with its reason, and goes on with the next", async () => {
    const { node, client, state } = await started();
    await client.history.open(CHAT);
    node.instead.send = (request) => {
      node.instead = {};
      if (request.type === "send" && request.text !== "bad") return node.answer(request);
      return { code: "store_failed", message: "The disk is full.", hint: "Make room.", retry_after: null };
    };
    client.outgoing.send(CHAT, "bad");
    client.outgoing.send(CHAT, "good");
    await settled();
    expect(texts(node.history)).toEqual(["good"]);
    const [refused] = state().pending[CHAT] ?? [];
    expect(refused).toMatchObject({
      text: "bad",
      problem: { message: "The disk is full.", hint: "Make room." },
    });

    client.outgoing.retry(CHAT, refused?.id ?? "");
    await settled();
    expect(texts(node.history)).toEqual(["good", "bad"]);
    expect(state().pending[CHAT]).toBeUndefined();
  });

  it("gives a refused message's text back, before what was being written", async () => {
    const { node, client, state } = await started();
    node.instead.send = () => ({ code: "bad_text", message: "Too long.", hint: "", retry_after: null });
    client.outgoing.send(CHAT, "long");
    await settled();
    client.composing.setDraft(CHAT, "next");
    client.outgoing.takeBack(CHAT, state().pending[CHAT]?.[0]?.id ?? "");
    expect(state().drafts[CHAT]).toBe("long\nnext");
    expect(state().pending[CHAT]).toBeUndefined();
  });

  it("never moves a tick back, whatever order events and answers come in", async () => {
    const own = message("mine", { own: true, delivery: "accepted" });
    const node = new TestNode();
    node.history = [own];
    const { client, state } = await started(node);
    await client.history.open(CHAT);
    node.tells({ type: "message_changed", conversation: CHAT, message: { ...own, delivery: "read" } });
    node.tells({ type: "message_changed", conversation: CHAT, message: { ...own, delivery: "delivered" } });
    expect(state().timelines[CHAT]?.messages[0]?.delivery).toBe("read");
    node.tells({ type: "lagged" });
    await settled();
    // The page fetched is older than the event.
    expect(state().timelines[CHAT]?.messages[0]?.delivery).toBe("read");
  });

  it("fetches the list once for several changes", async () => {
    const { node } = await started();
    const before = node.count("conversations");
    for (let i = 0; i < 5; i += 1) {
      node.tells({
        type: "conversation_changed",
        conversation: chat({ id: CHAT, title: "bob", last: null, unread: i }),
      });
    }
    await node.passes(1_000);
    expect(node.count("conversations")).toBe(before + 1);
  });

  it("knows somebody who writes first", async () => {
    const { node, state } = await started();
    const dave = chat({ id: "d4".repeat(32), title: "dave", last: null, unread: 1 });
    node.conversations.unshift(dave);
    node.tells({ type: "conversation_changed", conversation: dave });
    await node.passes(1_000);
    expect(state().conversations?.map((c) => c.title)).toEqual(["dave", "bob"]);
    expect(state().contacts.map((c) => c.username)).toEqual(["dave", "bob"]);
  });

  it("moves the read mark forward only, and tries again after a failure", async () => {
    const { node, client } = await started();
    await client.history.markRead(CHAT, 5);
    await client.history.markRead(CHAT, 5);
    await client.history.markRead(CHAT, 4);
    expect(node.count("mark_read")).toBe(1);
    node.instead.mark_read = () => ({ code: "store_failed", message: "", hint: "", retry_after: null });
    await client.history.markRead(CHAT, 9);
    node.instead = {};
    await client.history.markRead(CHAT, 9);
    expect(node.count("mark_read")).toBe(3);
  });

  it("forgets everything at log-out", async () => {
    const { client, state } = await started();
    await client.history.open(CHAT);
    client.composing.setDraft(CHAT, "secret");
    await client.account.logOut();
    expect(state()).toMatchObject({ conversations: null, timelines: {}, drafts: {}, contacts: [] });
    await client.account.logIn("alice", "123456");
    await settled();
    expect(state().drafts).toEqual({});
    expect(state().conversations).toHaveLength(1);
  });

  it("keeps what was written when a session ends by itself, for the same account only", async () => {
    const { node, client, state } = await started();
    client.composing.setDraft(CHAT, "half a thought");
    node.status = status({ account: { state: "logged_out", username: "alice" } });
    node.tells({ type: "status", ...node.status });
    expect(state().drafts).toEqual({});
    await client.account.logIn("alice", "123456");
    expect(state().drafts[CHAT]).toBe("half a thought");

    node.tells({ type: "status", ...status({ account: { state: "logged_out", username: "alice" } }) });
    const other = {
      state: "active",
      username: "eve",
      account: `e${ALICE.slice(1)}`,
      device: "",
      session_expires_at: 1,
      phrase_waits: false,
    };
    node.tells({ type: "status", ...status({ account: other as never }) });
    expect(state().drafts).toEqual({});
  });

  it("keeps message contents out of the browser's storage", async () => {
    const { client } = await started();
    await client.history.open(CHAT);
    client.composing.setDraft(CHAT, "CANARY-draft");
    client.outgoing.send(CHAT, "CANARY-sent");
    await settled();
    const stored = JSON.stringify({ ...localStorage, ...sessionStorage });
    expect(stored).not.toContain("CANARY");
  });
});
