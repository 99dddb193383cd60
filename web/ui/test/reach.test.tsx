// Where the focus goes, what is said aloud, and what can be read: for those who don't see the page, or not well.
import { readFileSync } from "node:fs";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { App } from "../src/App";
import type { Status } from "../src/api";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import { accessible } from "./accessible";
import { BOB, CHAT, chat, group, LINK, message, ROOM, status, TestNode } from "./node";
import { shown, type User } from "./shown";

const HERE = `/chat/${CHAT}`;
const focused = () => document.activeElement;

async function entrance(account: Status["account"]) {
  const node = new TestNode();
  node.status = status({ account });
  window.history.replaceState(null, "", "/login");
  const client = new Client(node.surroundings());
  client.start();
  render(
    <ClientContext value={client}>
      <App />
    </ClientContext>,
  );
  return { node, user: userEvent.setup(), name: await screen.findByLabelText("Username") };
}

describe("the focus", () => {
  it("is on the name at log-in, and on the code where the name is known", async () => {
    const { name } = await entrance({ state: "none" });
    expect(focused()).toBe(name);
  });

  it("is on the code at log-in where the name is known", async () => {
    await entrance({ state: "logged_out", username: "alice" });
    expect(focused()).toBe(screen.getByLabelText("Code from your authenticator app"));
  });

  it("goes to the composer when a request was accepted, whose button is gone", async () => {
    const node = new TestNode();
    node.conversations = [chat({ standing: "request" })];
    const { user } = await shown(node, HERE);
    await user.click(screen.getByRole("button", { name: "Accept" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Accept" })).toBeNull());
    expect(focused()).toBe(screen.getByRole("textbox", { name: /^Message to/ }));
  });

  it("comes back to a heading from the pages of the account's window", async () => {
    const { user } = await shown(new TestNode());
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Account…" }));
    await screen.findByRole("dialog", { name: "Account" });
    const heading = () => screen.getByRole("heading", { name: "What guards the account" });
    expect(focused()).not.toBe(heading());
    for (const page of ["New recovery codes", "Check the recovery phrase you wrote down"]) {
      await user.click(screen.getByRole("button", { name: page }));
      expect(focused()).toBe(await screen.findByRole("textbox"));
      await user.click(screen.getByRole("button", { name: "Back" }));
      expect(focused()).toBe(heading());
    }
    await accessible();
  });
});

async function links(node: TestNode): Promise<User> {
  node.groups = [group()];
  node.conversations = [chat({ id: ROOM, group: true, title: "hikers" })];
  const { user } = await shown(node, `/chat/${ROOM}`);
  await user.click(await screen.findByRole("button", { name: "Members" }));
  await user.click(await screen.findByRole("button", { name: "Links into the group" }));
  await screen.findByRole("heading", { name: "Links into the group" });
  return user;
}

describe("links into a group", () => {
  it("say that there is none, and what number is meant", async () => {
    const user = await links(new TestNode());
    expect(await screen.findByText("There is none yet.")).toBeTruthy();
    const uses = screen.getByLabelText("For how many people");
    await user.type(uses, "0");
    expect(screen.getByText("A number from 1 to 256, or nothing.")).toBeTruthy();
    expect(uses.getAttribute("aria-invalid")).toBe("true");
    await user.type(uses, "{Backspace}7");
    expect(screen.queryByText("A number from 1 to 256, or nothing.")).toBeNull();
    await accessible();
  });

  it("that can't be had aren't shown as none", async () => {
    const node = new TestNode();
    node.instead.links = () => ({ code: "store_failed", message: "No.", hint: "", retry_after: null });
    await links(node);
    expect((await screen.findByRole("alert")).textContent).toContain("No.");
    expect(screen.queryByText("There is none yet.")).toBeNull();
  });

  it("leave the focus at the heading when one was revoked", async () => {
    const node = new TestNode();
    node.links = [LINK];
    const user = await links(node);
    await user.click(await screen.findByRole("button", { name: "Revoke" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Revoke" })).toBeNull());
    expect(focused()).toBe(screen.getByRole("heading", { name: "Links into the group" }));
  });
});

describe("what is said aloud", () => {
  it("is who types, not each time anew that the chat is encrypted", async () => {
    const node = new TestNode();
    node.history = [message("hi")];
    await shown(node, HERE);
    const types = (typing: boolean) =>
      act(async () => node.tells({ type: "typing", conversation: CHAT, account: BOB, name: "bob", typing }));
    await types(true);
    const region = screen.getByText(/is typing…/).closest("[aria-live]");
    expect(region?.textContent).toBe("bob is typing…");
    await types(false);
    expect(region?.textContent).toBe("");
    expect(screen.getByText(/^End-to-end encrypted$/).closest("[aria-live]")).toBeNull();
  });

  it("is why a title can't be saved", async () => {
    const node = new TestNode();
    node.groups = [group()];
    node.conversations = [chat({ id: ROOM, group: true, title: "hikers" })];
    const { user } = await shown(node, `/chat/${ROOM}`);
    await user.click(await screen.findByRole("button", { name: "Members" }));
    await user.click(await screen.findByRole("button", { name: "Change the title" }));
    const title = await screen.findByLabelText("Title");
    await user.clear(title);
    await user.paste(`${"ж".repeat(64)}!`);
    expect(screen.getByText("Too long by 1 byte.")).toBeTruthy();
    expect(screen.getByText("Too long by 1 byte.").id).toBe(title.getAttribute("aria-describedby"));
    expect(screen.getByRole("button", { name: "Change the title" })).toHaveProperty("disabled", true);
    await accessible();
  });

  it("stands in a place that was there before", async () => {
    const { user } = await shown(new TestNode(), HERE);
    await user.click(screen.getByRole("button", { name: "Verify" }));
    const sheet = within(await screen.findByRole("dialog"));
    const places = sheet.getAllByRole("status");
    expect(places.map((p) => p.textContent)).toEqual(["", ""]);
    await user.click(sheet.getByRole("button", { name: "They are the same" }));
    await waitFor(() => expect(places[0]?.textContent).toBe("✓ bob is verified."));
    expect(places[0]?.isConnected).toBe(true);
  });
});

describe("colours", () => {
  const tokens = readFileSync("src/styles/tokens.css", "utf8");

  /** A token in the light and in the dark theme. */
  function both(name: string): [string, string] {
    const found = new RegExp(`--${name}:\\s*(?:light-dark\\((#\\w{6}), (#\\w{6})\\)|(#\\w{6}));`).exec(
      tokens,
    );
    const [, light = found?.[3], dark = found?.[3]] = found ?? [];
    if (!light || !dark) throw new Error(`no colour ${name}`);
    return [light, dark];
  }

  /** Relative luminance (WCAG 2.2). */
  function luminance(colour: string): number {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
      const c = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(a: string, b: string): number {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  }

  it("of text can be read on every ground where they stand, in both themes", () => {
    const grounds = ["ground", "surface", "raised", "sunken", "hover", "chosen", "other"];
    const pairs = [
      ...["text", "text-soft", "accent-text"].flatMap((text) => grounds.map((on) => [text, on] as const)),
      ...["surface", "raised", "ground"].flatMap((on) => [["good", on] as const, ["bad", on] as const]),
      ["on-accent", "accent"],
      ["on-accent", "accent-hover"],
      ["on-accent", "own"],
      ["own-soft", "own"],
      ["bad", "bad-ground"],
      ["bad", "hover"],
      ["warn", "warn-ground"],
    ] as const;
    const faint = pairs.flatMap(([text, on]) =>
      [0, 1].flatMap((theme) => {
        const ratio = contrast(both(text)[theme] ?? "", both(on)[theme] ?? "");
        return ratio >= 4.5 ? [] : [`${text} on ${on}, ${theme ? "dark" : "light"}: ${ratio.toFixed(2)}`];
      }),
    );
    expect(faint).toEqual([]);
  });

  it("of edges and marks can be told from their grounds", () => {
    const faint = ["line-strong", "good-dot"].flatMap((mark) =>
      [0, 1].flatMap((theme) => {
        const ratio = contrast(both(mark)[theme] ?? "", both("surface")[theme] ?? "");
        return ratio >= 3 ? [] : [`${mark}, ${theme ? "dark" : "light"}: ${ratio.toFixed(2)}`];
      }),
    );
    expect(faint).toEqual([]);
  });
});
