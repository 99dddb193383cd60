import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { App } from "../src/App";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import { accessible } from "./accessible";
import { ALICE, active, BOB, device, PHRASE, status, TestNode, WAITING } from "./node";

async function shown(node: TestNode) {
  window.history.replaceState(null, "", "/");
  const client = new Client(node.surroundings());
  client.start();
  render(
    <ClientContext value={client}>
      <App />
    </ClientContext>,
  );
  await waitFor(() => expect(client.store.getState().status).not.toBeNull());
  await act(async () => {});
  return { node, client, user: userEvent.setup() };
}

async function atTheDoor() {
  const node = new TestNode();
  node.status = status({ account: { state: "none" } });
  const there = await shown(node);
  await there.user.click(screen.getByRole("button", { name: "I have an account on another device" }));
  await screen.findByRole("heading", { name: "Add this device to your account" });
  return there;
}

async function typed(user: ReturnType<typeof userEvent.setup>) {
  await user.type(screen.getByLabelText("Username"), "alice");
  await user.type(screen.getByLabelText(/^Code from your authenticator app/), "123456");
}

describe("a new device", () => {
  it("shows its code until another device lets it in", async () => {
    const { node, user } = await atTheDoor();
    await accessible();
    expect(screen.getByRole("button", { name: "Go on" })).toHaveProperty("disabled", true);
    await typed(user);
    await user.click(screen.getByRole("button", { name: "Go on" }));

    expect(await screen.findByText(WAITING.code)).toBeTruthy();
    expect(screen.getByAltText("The code of this device").getAttribute("src")).toContain(
      "data:image/svg+xml",
    );
    expect(node.asked).toContainEqual({ type: "link", username: "alice", code: "123456", phrase: null });
    await accessible();

    node.status = status();
    act(() => node.tells({ type: "status", ...node.status }));
    await screen.findByRole("heading", { name: "LiveChat" });
    expect(window.location.pathname).toBe("/");
  });

  it("waits no longer when told so", async () => {
    const { user } = await atTheDoor();
    await typed(user);
    await user.click(screen.getByRole("button", { name: "Go on" }));
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await screen.findByRole("heading", { name: "Add this device to your account" });
    await user.click(screen.getByRole("button", { name: "Create an account" }));
    await screen.findByRole("button", { name: "Generate QR code" });
  });

  it("adds itself by the recovery phrase, and says what was wrong", async () => {
    const { node, user } = await atTheDoor();
    await user.click(screen.getByRole("button", { name: "Use my recovery phrase instead" }));
    await typed(user);
    const go = screen.getByRole("button", { name: "Go on" });
    expect(go).toHaveProperty("disabled", true);
    await user.click(screen.getByLabelText(/24 words/));
    await user.paste(PHRASE.join(" "));
    node.instead.link = () => ({
      code: "invalid_credentials",
      message: "Name or code are wrong.",
      hint: "",
      retry_after: null,
    });
    await user.click(go);
    await screen.findByText("Name or code are wrong.");
    expect(screen.getByLabelText(/^Code from/)).toHaveProperty("value", "");
    await accessible();
    delete node.instead.link;
    await user.type(screen.getByLabelText(/^Code from/), "654321");
    await user.click(go);
    await screen.findByRole("heading", { name: "LiveChat" });
  });
});

describe("an old device", () => {
  async function ledger(node = new TestNode()) {
    const there = await shown(node);
    await there.user.click(screen.getByRole("button", { name: "Menu" }));
    await there.user.click(screen.getByRole("menuitem", { name: "Devices…" }));
    const list = await screen.findByRole("list", { name: "Devices of this account" });
    await within(list).findByText(/^This device/);
    return { ...there, list };
  }

  it("adds one by the code that it shows, and shows the addition", async () => {
    const { user } = await ledger();
    await accessible();
    await user.click(screen.getByRole("button", { name: "Add a device" }));
    const field = screen.getByLabelText("The code that the new device shows");
    await user.type(field, "AAAA-AAAA-AAAA-AAAA");
    await user.click(screen.getByRole("button", { name: "Add this device" }));
    await screen.findByText("Another code.");
    await accessible();
    await user.clear(field);
    await user.type(field, WAITING.code);
    await user.click(screen.getByRole("button", { name: "Add this device" }));
    const list = await screen.findByRole("list", { name: "Devices of this account" });
    expect(within(list).getAllByRole("listitem")).toHaveLength(2);
    expect(within(list).getByText(new RegExp(`by ${ALICE.slice(0, 8)}`))).toBeTruthy();
  });

  it("gives history along when that is wanted, says how far it is, and stops", async () => {
    const { node, user } = await ledger();
    await user.click(screen.getByRole("button", { name: "Add a device" }));
    expect(screen.queryByText(/1,234 messages/)).toBeNull();
    await user.click(screen.getByRole("checkbox", { name: /Also give it my history/ }));
    await screen.findByText(/1,234 messages and your contacts, 5.0 MB/);
    await accessible();
    await user.type(screen.getByLabelText("The code that the new device shows"), WAITING.code);
    await user.click(screen.getByRole("button", { name: "Add this device" }));
    expect(node.asked).toContainEqual({ type: "add_device", code: WAITING.code, history: true });
    const list = await screen.findByRole("list", { name: "Devices of this account" });
    await within(list).findByText("1.0 MB of 5.0 MB to the relay.");
    expect(within(list).getByRole("progressbar").getAttribute("value")).toBe(String(2 ** 20));
    expect(within(list).queryByRole("button", { name: /^Give device/ })).toBeNull();
    await accessible();
    await user.click(within(list).getByRole("button", { name: "Stop" }));
    expect(node.asked).toContainEqual({ type: "cancel_handover", device: BOB });
    await user.click(await within(list).findByRole("button", { name: /^Give device/ }));
    expect(node.count("give_history")).toBe(0);
    await screen.findByText(/1,234 messages and your contacts/);
    await user.click(screen.getByRole("button", { name: "Give it" }));
    expect(node.asked).toContainEqual({ type: "give_history", device: BOB });
    const failed = { state: "failed", message: "No room.", hint: "Make some." } as const;
    act(() => void node.gives(BOB, { state: failed }));
    await within(await screen.findByRole("list", { name: "Devices of this account" })).findByText(
      "No room. Make some.",
    );
  });

  it("removes one after it said what that means", async () => {
    const node = new TestNode();
    node.devices = [device(ALICE), device(BOB, { added_by: ALICE })];
    const { user } = await ledger(node);
    await user.click(screen.getByRole("button", { name: `Remove device ${BOB.slice(0, 8)}` }));
    expect(screen.getByText(/can't be added again/)).toBeTruthy();
    expect(node.count("remove_device")).toBe(0);
    await accessible();
    await user.click(screen.getByRole("button", { name: "Remove it" }));
    const list = await screen.findByRole("list", { name: "Devices of this account" });
    expect(within(list).getByText(/; removed /)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Remove device/ })).toBeNull();
  });
});

describe("history that comes to this device", () => {
  it("is shown over the chats until somebody has seen that it is there", async () => {
    const { node, user } = await shown(new TestNode());
    expect(screen.queryByRole("region", { name: "History between your devices" })).toBeNull();
    act(() => void node.gives(null));
    const banner = await screen.findByRole("region", { name: "History between your devices" });
    within(banner).getByText("1.0 MB of 5.0 MB from the relay.");
    await accessible();
    act(() => void node.gives(null, { step: "restoring" }));
    await within(banner).findByText("Writing it to this device.");
    expect(within(banner).getByRole("progressbar").getAttribute("value")).toBeNull();
    // Everything is read anew then, and what is over isn't on the node's list any more.
    act(() => void node.gives(null, { step: "restoring", state: { state: "done" } }));
    node.handovers = [];
    act(() => node.tells({ type: "lagged" }));
    await within(banner).findByText(/1,234 messages came/);
    await accessible();
    await user.click(within(banner).getByRole("button", { name: "Dismiss" }));
    expect(node.count("cancel_handover")).toBe(0);
    await waitFor(() =>
      expect(screen.queryByRole("region", { name: "History between your devices" })).toBeNull(),
    );
  });
});

describe("a removed device", () => {
  it("that would shut for good says so, and can be kept open", async () => {
    const node = new TestNode();
    node.vault = { ...node.vault, phrase: false, stay_unlocked: false, lock_after: 60 };
    node.status = status({ account: active({ removed: true, logged_in: false }) });
    const { user } = await shown(node);
    await screen.findByText(/Once it is closed, nothing opens it again/);
    await accessible();
    await user.click(screen.getByRole("button", { name: "Keep it open" }));
    expect(node.asked).toContainEqual({ type: "set_vault", stay_unlocked: true, lock_after: 60 });
    await waitFor(() => expect(screen.queryByText(/Once it is closed/)).toBeNull());
  });

  it("says so, and is erased after a question", async () => {
    const node = new TestNode();
    const { user } = await shown(node);
    expect(screen.queryByText(/was removed from the account/)).toBeNull();
    node.status = status({ account: active({ removed: true, logged_in: false }) });
    act(() => node.tells({ type: "status", ...node.status }));
    await screen.findByText(/was removed from the account/);
    await accessible();
    await user.click(screen.getByRole("button", { name: "Erase it" }));
    expect(node.count("erase")).toBe(0);
    await user.click(await screen.findByRole("button", { name: "Erase everything" }));
    await screen.findByRole("button", { name: "Generate QR code" });
  });
});
