import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Conversation } from "../src/api";
import { accessible } from "./accessible";
import { CHAT, chat, message, TestNode } from "./node";
import { shown } from "./shown";

/** The chat with bob, where he said hello. */
async function greeted(change: Partial<Conversation> = {}) {
  const node = new TestNode();
  node.history = [message("hello")];
  node.conversations = [chat(change)];
  return shown(node, `/chat/${CHAT}`);
}

const sheet = async () => within(await screen.findByRole("dialog"));

/** What the sheet says aloud, names in it included. */
async function said(words: string) {
  const places = (await sheet()).getAllByRole("status");
  await waitFor(() => expect(places.map((p) => p.textContent)).toContain(words));
}

describe("verification", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("notes that the digits are the same, shows it, and takes it back", async () => {
    const { node, user } = await greeted();
    expect(screen.queryByRole("img", { name: "Verified" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Verify" }));
    await (await sheet()).findByRole("img", { name: "Your verification code for bob" });
    await accessible();
    await user.click((await sheet()).getByRole("button", { name: "They are the same" }));
    await said("✓ bob is verified.");
    expect(node.verified).toBe(true);
    await user.click((await sheet()).getByRole("button", { name: "No longer verified" }));
    expect(await (await sheet()).findByRole("button", { name: "They are the same" })).toBeTruthy();
    expect(node.verified).toBe(false);
  });

  it("compares the code that the other one shows, pasted or in a picture", async () => {
    const { user } = await greeted();
    await user.click(screen.getByRole("button", { name: "Verify" }));
    const field = (await sheet()).getByRole("textbox");
    await user.type(field, "LIVECHAT-VERIFY:EVE");
    await user.click((await sheet()).getByRole("button", { name: "Compare" }));
    expect(await (await sheet()).findByText("That isn't what is seen here.", { exact: false })).toBeTruthy();
    vi.stubGlobal("createImageBitmap", async () => ({ width: 2, height: 1, close: () => {} }));
    const drawing = {
      fillRect: () => {},
      drawImage: () => {},
      getImageData: () => ({ data: new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255]) }),
    };
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(drawing as never);
    const asked: RequestInit[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      asked.push(init);
      return asked.length === 1 ? new Response("", { status: 404 }) : new Response("LIVECHAT-VERIFY:BOB");
    });
    const picture = () => new File(["x"], "code.png", { type: "image/png" });
    await user.upload((await sheet()).getByLabelText("Picture of their code"), picture());
    expect(await (await sheet()).findByText("There is no code", { exact: false })).toBeTruthy();
    await user.upload((await sheet()).getByLabelText("Picture of their code"), picture());
    await said("✓ That is bob's code, and it is about you.");
    expect(asked[1]?.body).toEqual(Uint8Array.of(0, 255));
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.getAllByRole("img", { name: "Verified" }).length).toBeGreaterThan(0));
  });
});

describe("a name with new keys", () => {
  it("stops the chat until it is looked into", async () => {
    const { user } = await greeted({ new_keys: true, standing: "request" });
    expect(screen.getByRole("alert").textContent).toContain("is another account than the one you knew");
    expect(screen.queryByRole("textbox", { name: /^Message to/ })).toBeNull();
    await accessible();
    const banner = within(screen.getByRole("region", { name: "Another account than before" }));
    await user.click(banner.getByRole("button", { name: "Verify" }));
    await user.click((await sheet()).getByRole("button", { name: "They are the same" }));
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("textbox", { name: /^Message to/ })).toBeTruthy();
  });

  it("may be accepted on their word", async () => {
    const { node, user } = await greeted({ new_keys: true, standing: "request" });
    await user.click(screen.getByRole("button", { name: "Go on without" }));
    expect(await screen.findByRole("textbox", { name: /^Message to/ })).toBeTruthy();
    expect(node.count("accept")).toBe(1);
  });
});
