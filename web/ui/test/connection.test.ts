import { describe, expect, it } from "vitest";
import type { Event } from "../src/api";
import { backoff } from "../src/net/backoff";
import { Connection, type Line, LineLost, Refused } from "../src/net/connection";
import { takeLinkToken } from "../src/net/session";
import { settled, TestNode } from "./node";

async function connected(node = new TestNode()) {
  const lines: Line[] = [];
  const events: Event[] = [];
  const connection = new Connection(node.surroundings(), {
    line: (line) => lines.push(line),
    event: (event) => events.push(event),
  });
  connection.start();
  await settled();
  return { node, connection, lines, events };
}

describe("the line to the node", () => {
  it("matches answers to requests, in whatever order they come", async () => {
    const { node, connection } = await connected();
    const frames: { id: number; request: { type: string } }[] = [];
    node.socket.send = (text) => frames.push(JSON.parse(text));
    const first = connection.request({ type: "contacts" });
    const second = connection.request({ type: "conversations" });
    for (const { id, request } of frames.reverse()) {
      const ok = { type: request.type, [request.type]: [] };
      node.socket.onmessage?.({ data: JSON.stringify({ id, ok }) });
    }
    expect((await first).type).toBe("contacts");
    expect((await second).type).toBe("conversations");
  });

  it("says why a request was refused", async () => {
    const { connection } = await connected();
    const refusal = await connection.request({ type: "add_contact", username: "x" }).catch((e: unknown) => e);
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal).toMatchObject({ code: "not_found", message: "Nobody has that name." });
  });

  it("comes back by itself, and pauses longer each time", async () => {
    const { node, lines } = await connected();
    await node.dies();
    const pauses: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      const line = lines.at(-1);
      if (line?.state !== "waiting") throw new Error(`not waiting but ${line?.state}`);
      pauses.push(line.retryAt - node.time);
      await node.passes(line.retryAt - node.time);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    node.up = true;
    await node.passes(15_000);
    expect(lines.at(-1)).toEqual({ state: "open" });
    await node.dies();
    expect(lines.at(-1)).toEqual({ state: "waiting", retryAt: node.time + 500 });
  });

  it("answers who waited when the line breaks, and refuses new requests until it is back", async () => {
    const { node, connection } = await connected();
    node.instead.status = () => null;
    const asked = connection.request({ type: "status" });
    await node.dies();
    await expect(asked).rejects.toBeInstanceOf(LineLost);
    await expect(connection.request({ type: "status" })).rejects.toBeInstanceOf(LineLost);
  });

  it("takes a minute without an answer for a dead line", async () => {
    const { node, connection, lines } = await connected();
    node.instead.status = () => null;
    const asked = connection.request({ type: "status" }).catch((e: unknown) => e);
    const first = node.socket;
    await node.passes(60_000);
    expect(await asked).toBeInstanceOf(LineLost);
    expect(first.closed).toBe(true);
    await node.passes(1_000);
    expect(lines.at(-1)).toEqual({ state: "open" });
  });

  it("stops and says so when the session is gone", async () => {
    const { node, lines } = await connected();
    node.admission = "refused";
    node.socket.onclose?.();
    await settled();
    expect(lines.at(-1)).toEqual({ state: "refused" });
    await node.passes(120_000);
    expect(node.sockets).toHaveLength(1);
  });

  it("doesn't choke on nonsense: it drops the line and comes back", async () => {
    for (const nonsense of ["", "{", "null", "7", new ArrayBuffer(3)]) {
      const { node, lines } = await connected();
      node.socket.onmessage?.({ data: nonsense });
      await node.passes(1_000);
      expect(lines.at(-1)).toEqual({ state: "open" });
      expect(node.sockets).toHaveLength(2);
    }
  });

  it("ignores what an abandoned socket still says", async () => {
    const { node, events } = await connected();
    const old = node.socket;
    const says = old.onmessage;
    old.onclose?.();
    await node.passes(1_000);
    says?.({ data: JSON.stringify({ event: { type: "lagged" } }) });
    expect(events).toEqual([]);
  });

  it("is one line, however often it is started", async () => {
    const { node, connection, lines } = await connected();
    connection.start();
    await settled();
    expect(node.sockets).toHaveLength(1);
    node.admission = "refused";
    node.socket.onclose?.();
    await settled();
    node.admission = "admitted";
    connection.start();
    await settled();
    expect(lines.at(-1)).toEqual({ state: "open" });
  });

  it("doesn't wait for the next try when asked", async () => {
    const { node, connection, lines } = await connected();
    await node.dies();
    node.up = true;
    connection.retryNow();
    await settled();
    expect(lines.at(-1)).toEqual({ state: "open" });
  });
});

describe("back-off", () => {
  it("spreads by a quarter to either side", () => {
    expect([backoff(0, 0), backoff(0, 0.5), backoff(0, 0.999)]).toEqual([375, 500, 625]);
    expect(backoff(1_000, 0.5)).toBe(15_000);
  });
});

describe("the one-time token", () => {
  it("is taken out of the address and its history", () => {
    const token = "ab".repeat(32);
    window.history.replaceState(null, "", `/#link=${token}`);
    expect(takeLinkToken(window.location, window.history)).toBe(token);
    expect(window.location.href).not.toContain(token);
    expect(takeLinkToken(window.location, window.history)).toBeNull();
  });

  it("is nothing else", () => {
    for (const hash of ["#link=", "#link=abc", `#link=${"AB".repeat(32)}`, `#x=${"ab".repeat(32)}`]) {
      window.history.replaceState(null, "", `/${hash}`);
      expect(takeLinkToken(window.location, window.history)).toBeNull();
    }
  });
});
