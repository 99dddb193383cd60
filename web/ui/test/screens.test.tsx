import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { App } from "../src/App";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import { accessible } from "./accessible";
import { active, CHAT, chat, message, PHRASE, status, TestNode, TICKET } from "./node";

/** The page in front of a node. Timers of the connection are the node's; those of components are the system's. */
async function shown(node: TestNode, path = "/") {
  window.history.replaceState(null, "", path);
  const client = new Client(node.surroundings());
  client.start();
  const view = render(
    <ClientContext value={client}>
      <App />
    </ClientContext>,
  );
  await waitFor(() => expect(client.store.getState().status).not.toBeNull());
  await act(async () => {});
  return { node, client, view, user: userEvent.setup() };
}

function nobody(): TestNode {
  const node = new TestNode();
  node.status = status({ account: { state: "none" } });
  return node;
}

function pending(): TestNode {
  const node = new TestNode();
  node.status = status({ account: { state: "pending", ticket: TICKET } });
  return node;
}

function lookAway(focused: boolean) {
  vi.spyOn(document, "hasFocus").mockReturnValue(focused);
}

afterEach(() => vi.restoreAllMocks());

describe("sign-up", () => {
  it("goes from name over authenticator to recovery codes (A1, A2)", async () => {
    const { node, user } = await shown(nobody());
    expect(window.location.pathname).toBe("/signup");
    const generate = screen.getByRole("button", { name: "Generate QR code" });
    expect(generate).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText("Username"), "alice");
    await screen.findByText("“alice” is free.");
    // Asked when typing rested, not at each letter.
    expect(node.count("check_username")).toBe(1);
    await accessible();
    await user.click(generate);

    const qr = await screen.findByAltText("QR code for your authenticator app");
    expect(decodeURIComponent(qr.getAttribute("src") ?? "")).toContain("<svg");
    await accessible();
    await user.click(screen.getByRole("button", { name: "Show the setup key instead" }));
    expect(screen.getByText("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP")).toBeTruthy();

    await user.type(screen.getByLabelText("Then type the six digits it shows"), "123 456");
    await screen.findByText("Save your recovery codes");
    expect(node.asked.find((r) => r.type === "confirm_sign_up")).toMatchObject({ code: "123456" });
    expect(screen.getAllByRole("listitem").map((li) => li.textContent)).toEqual(["aaaa-bbbb", "cccc-dddd"]);
    await accessible();
    await user.click(screen.getByRole("button", { name: "I saved them" }));
    await screen.findByText("Write down your recovery phrase");
    await user.click(screen.getByRole("button", { name: "Later" }));
    await screen.findByText("Choose a chat");
    expect(window.location.pathname).toBe("/");
  });

  it("has the recovery phrase written down and checked by two words, later too", async () => {
    const node = new TestNode();
    node.status = status({ account: active({ phrase_waits: true }) });
    const { user } = await shown(node);
    await user.click(screen.getByRole("button", { name: "Show it" }));
    const words = within(await screen.findByLabelText("Recovery phrase", { selector: "ol" }));
    expect(words.getAllByRole("listitem").map((li) => li.textContent)).toEqual(PHRASE);
    await accessible();
    await user.click(screen.getByRole("button", { name: "I wrote them down" }));
    await user.type(screen.getByLabelText("Word 2"), "bbbbb");
    await user.type(screen.getByLabelText("Word 24"), "wrong");
    await user.click(screen.getByRole("button", { name: "Check" }));
    expect((await screen.findByRole("alert")).textContent).toContain("words 2 and 24");
    await user.clear(screen.getByLabelText("Word 24"));
    await user.type(screen.getByLabelText("Word 24"), "xxxxx");
    await user.click(screen.getByRole("button", { name: "Check" }));
    await waitFor(() => expect(screen.queryByText(/isn't written down yet/)).toBeNull());
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("says why a name can't be had", async () => {
    const node = nobody();
    node.instead.check_username = () => ({
      type: "username",
      username: "admin",
      available: false,
      problem: "reserved",
      message: "That name is kept for the operator.",
    });
    const { user } = await shown(node);
    await user.type(screen.getByLabelText("Username"), "admin");
    await screen.findByText("That name is kept for the operator.");
    expect(screen.getByRole("button", { name: "Generate QR code" })).toHaveProperty("disabled", true);
  });

  it("drops an answer about a name that was changed meanwhile", async () => {
    const { node, user } = await shown(nobody());
    node.instead.check_username = () => null;
    await user.type(screen.getByLabelText("Username"), "al");
    await waitFor(() => expect(node.count("check_username")).toBe(1));
    node.instead = {};
    await user.type(screen.getByLabelText("Username"), "ice");
    await screen.findByText("“alice” is free.");
  });

  it("seed_b16_the_setup_key_is_copied_on_click_only", async () => {
    const written: string[] = [];
    const { user } = await shown(pending());
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => void written.push(text));
    await user.click(screen.getByRole("button", { name: "Show the setup key instead" }));
    await user.click(screen.getByRole("button", { name: "Show the QR code" }));
    await user.click(screen.getByRole("button", { name: "Show the setup key instead" }));
    expect(written).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Copy key" }));
    expect(written).toEqual([TICKET.setup_key]);
    await screen.findByText("Copied");
  });

  it("comes back where it was after a reload, and to another name when asked", async () => {
    const { user } = await shown(pending(), "/login");
    expect(window.location.pathname).toBe("/signup");
    await user.click(screen.getByRole("button", { name: "Choose another name" }));
    await screen.findByText("Create your account");
  });
});

describe("log-in (A3)", () => {
  function loggedOut(): TestNode {
    const node = new TestNode();
    node.status = status({ account: { state: "logged_out", username: "alice" } });
    return node;
  }

  it("has the name ready, submits at the sixth digit, and once", async () => {
    const { node, user } = await shown(loggedOut(), `/chat/${CHAT}`);
    expect(window.location.pathname).toBe("/login");
    expect(screen.getByLabelText("Username")).toHaveProperty("value", "alice");
    await accessible();
    await user.type(screen.getByLabelText("Code from your authenticator app"), "123456");
    await screen.findByText("Choose a chat");
    expect(node.asked.filter((r) => r.type === "log_in")).toEqual([
      { type: "log_in", username: "alice", code: "123456" },
    ]);
  });

  it("says what is wrong, and is ready for the next code", async () => {
    const node = loggedOut();
    node.instead.log_in = () => ({
      code: "invalid_credentials",
      message: "Name or code is wrong.",
      hint: "Codes change every 30 seconds.",
      retry_after: null,
    });
    const { user } = await shown(node);
    const field = screen.getByLabelText("Code from your authenticator app");
    await user.type(field, "000000");
    expect((await screen.findByRole("alert")).textContent).toContain("Name or code is wrong.");
    expect(field).toHaveProperty("value", "");
    await waitFor(() => expect(document.activeElement).toBe(field));
    await accessible();
  });

  it("takes a recovery code too", async () => {
    const { node, user } = await shown(loggedOut());
    await user.click(screen.getByRole("button", { name: "Use a recovery code" }));
    await user.type(screen.getByLabelText("Recovery code"), "aaaa-bbbb");
    await user.click(screen.getByRole("button", { name: "Log in" }));
    await screen.findByText("Choose a chat");
    expect(node.asked.find((r) => r.type === "log_in")).toMatchObject({ code: "aaaa-bbbb" });
  });
});

describe("a locked device", () => {
  function locked(passphrase = false): TestNode {
    const node = new TestNode();
    node.status = status({ account: { state: "locked", username: "alice", passphrase, phrase: true } });
    node.vault.passphrase = passphrase;
    return node;
  }

  it("shows no chats, and opens at the sixth digit", async () => {
    const { node, user } = await shown(locked(), `/chat/${CHAT}`);
    expect(await screen.findByText("This device is locked")).toBeTruthy();
    expect(screen.getByText("alice")).toBeTruthy();
    expect(node.count("conversations")).toBe(0);
    expect(screen.queryByRole("button", { name: "Use the passphrase" })).toBeNull();
    await accessible();
    await user.type(screen.getByLabelText("Code from your authenticator app"), "123456");
    await screen.findByText("Choose a chat");
    expect(node.asked.find((r) => r.type === "log_in")).toMatchObject({ username: "alice", code: "123456" });
  });

  it("opens by recovery phrase, and says when that is wrong", async () => {
    const { user } = await shown(locked());
    await user.click(await screen.findByRole("button", { name: "Use the recovery phrase" }));
    await user.type(screen.getByLabelText("Recovery phrase"), "wrong words");
    await user.click(screen.getByRole("button", { name: "Unlock" }));
    expect((await screen.findByRole("alert")).textContent).toContain("That isn't it.");
    await accessible();
    await user.clear(screen.getByLabelText("Recovery phrase"));
    await user.type(screen.getByLabelText("Recovery phrase"), PHRASE.join(" "));
    await user.click(screen.getByRole("button", { name: "Unlock" }));
    await screen.findByText("Choose a chat");
  });

  it("opens by passphrase where there is one", async () => {
    const { user } = await shown(locked(true));
    await user.click(await screen.findByRole("button", { name: "Use the passphrase" }));
    await accessible();
    await user.type(screen.getByLabelText("Passphrase"), "wrong");
    await user.click(screen.getByRole("button", { name: "Unlock" }));
    expect((await screen.findByRole("alert")).textContent).toContain("That isn't it.");
    await user.type(screen.getByLabelText("Passphrase"), "correct horse");
    await user.click(screen.getByRole("button", { name: "Unlock" }));
    await screen.findByText("Choose a chat");
  });

  it("asks once more for what was typed as the line ended", async () => {
    const node = locked();
    node.instead.log_in = () => {
      delete node.instead.log_in;
      queueMicrotask(() => node.socket.onclose?.());
      return null;
    };
    const { user } = await shown(node);
    await user.type(await screen.findByLabelText("Code from your authenticator app"), "123456");
    await act(() => node.passes(2_000));
    await screen.findByText("Choose a chat");
    expect(node.count("log_in")).toBe(2);
  });

  it("is locked from the menu, and forgets what it showed", async () => {
    const { client, user } = await shown(new TestNode());
    await user.click(await screen.findByRole("button", { name: "Menu" }));
    await user.click(screen.getByRole("menuitem", { name: "Lock now" }));
    await screen.findByText("This device is locked");
    expect(client.store.getState().conversations).toBeNull();
  });

  it("is kept as its owner wants it", async () => {
    const { node, user } = await shown(new TestNode());
    await user.click(await screen.findByRole("button", { name: "Menu" }));
    await user.click(screen.getByRole("menuitem", { name: "Account…" }));
    await user.click(screen.getByRole("button", { name: "How this device is locked" }));
    await user.click(await screen.findByRole("checkbox"));
    await user.selectOptions(screen.getByLabelText("Lock"), "300");
    await accessible();
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("Saved.");
    expect(node.vault).toMatchObject({ stay_unlocked: false, lock_after: 300 });
    await user.click(screen.getByRole("button", { name: "How this device is locked" }));
    await user.type(await screen.findByLabelText("A passphrase as a further way in"), "correct horse");
    await user.click(screen.getByRole("button", { name: "Set it" }));
    await screen.findByText("The passphrase opens this device now, too.");
    expect(node.vault.passphrase).toBe(true);
  });
});

describe("without a session", () => {
  it("says how to get one", async () => {
    const client = new Client(new TestNode().surroundings());
    client.refused();
    render(
      <ClientContext value={client}>
        <App />
      </ClientContext>,
    );
    expect(screen.getByText("livechat-node link")).toBeTruthy();
    await accessible();
    // The link was opened in another tab.
    await act(async () => window.dispatchEvent(new Event("focus")));
    await screen.findByText("Choose a chat");
  });
});

describe("chats", () => {
  function talking(): TestNode {
    const node = new TestNode();
    node.history = [message("hi alice"), message("hi bob", { own: true, delivery: "delivered" })];
    return node;
  }
  const composer = () => screen.getByRole("textbox", { name: "Message to bob" });

  it("show who wrote what, own ones marked with how far they got (A8)", async () => {
    await shown(talking(), `/chat/${CHAT}`);
    const theirs = (await screen.findByText("hi alice")).closest(".row");
    expect(theirs?.className).toContain("other");
    expect(within(theirs as HTMLElement).getByText("bob")).toBeTruthy();
    const own = screen.getByText("hi bob").closest(".row");
    expect(own?.className).toContain("own");
    expect(
      within(own as HTMLElement).getByRole("img", { name: "On a device of the recipient" }),
    ).toBeTruthy();
    expect(screen.getByText("7 online")).toBeTruthy();
    expect(screen.getByText("alice", { selector: ".own-name" })).toBeTruthy();
    await accessible();
  });

  it("draw markup as the text it is", async () => {
    const payloads = [
      "<script>window.pwned = 1</script>",
      '<img src=x onerror="window.pwned = 1">',
      "<svg/onload=window.pwned=1>",
      "[x](javascript:window.pwned=1)",
      'javascript:window.pwned=1 https://a.example/"onmouseover="window.pwned=1',
      "&lt;b&gt; </p></article><iframe srcdoc='<script>parent.pwned=1</script>'>",
      "{{constructor.constructor('window.pwned=1')()}}",
    ];
    const node = new TestNode();
    node.history = payloads.map((text) => message(text, { author_name: text }));
    node.conversations = [
      chat({ id: CHAT, title: payloads[1] ?? "", last: node.history[0] ?? null, unread: 0 }),
    ];
    await shown(node, `/chat/${CHAT}`);
    for (const text of payloads) {
      const shownText = [...document.querySelectorAll(".message-text")].map((p) => p.textContent);
      expect(shownText).toContain(text);
    }
    expect(
      document.querySelectorAll("script, iframe, .bubble img, .bubble svg:not(.ticks svg)"),
    ).toHaveLength(0);
    for (const a of document.querySelectorAll<HTMLAnchorElement>(".bubble a")) {
      expect(a.getAttribute("href")).toMatch(/^https:\/\/a\.example\//);
      expect(a.rel).toBe("noopener noreferrer");
      expect(a.target).toBe("_blank");
    }
    expect(window).not.toHaveProperty("pwned");
  });

  it("send with Enter, break lines with Shift+Enter, leave input methods alone", async () => {
    const { node, user } = await shown(talking(), `/chat/${CHAT}`);
    await user.type(composer(), "one{Shift>}{Enter}{/Shift}two");
    fireEvent.keyDown(composer(), { key: "Enter", isComposing: true });
    expect(node.count("send")).toBe(0);
    await user.type(composer(), "{Enter}");
    await waitFor(() =>
      expect(node.asked.find((r) => r.type === "send")).toMatchObject({ text: "one\ntwo" }),
    );
    expect(composer()).toHaveProperty("value", "");
    await user.type(composer(), "  {Enter}");
    expect(node.count("send")).toBe(1);
  });

  it("keep a draft for each conversation", async () => {
    const node = talking();
    const other = "d4".repeat(32);
    node.conversations.push(chat({ id: other, title: "carol", last: null, unread: 0 }));
    const { user } = await shown(node, `/chat/${CHAT}`);
    await user.type(composer(), "for bob");
    await user.click(screen.getByRole("link", { name: /carol/ }));
    expect(screen.getByRole("textbox", { name: "Message to carol" })).toHaveProperty("value", "");
    expect(screen.getByText("for bob")).toBeTruthy();
    await user.click(screen.getByRole("link", { name: /bob/ }));
    expect(composer()).toHaveProperty("value", "for bob");
  });

  it("refuse what is longer than a message may be, and keep it", async () => {
    const { node } = await shown(talking(), `/chat/${CHAT}`);
    fireEvent.change(composer(), { target: { value: "é".repeat(16 * 1024 + 1) } });
    expect(screen.getByText(/Too long by 2 bytes/)).toBeTruthy();
    fireEvent.keyDown(composer(), { key: "Enter" });
    expect(node.count("send")).toBe(0);
    fireEvent.change(composer(), { target: { value: "é".repeat(16 * 1024) } });
    expect(screen.getByText("0 bytes left.")).toBeTruthy();
  });

  it("are marked read only while somebody looks", async () => {
    const node = talking();
    node.conversations = [chat({ id: CHAT, title: "bob", last: null, unread: 1 })];
    lookAway(false);
    await shown(node, `/chat/${CHAT}`);
    await screen.findByText("hi alice");
    await act(async () => {});
    expect(node.count("mark_read")).toBe(0);
    lookAway(true);
    await act(async () => window.dispatchEvent(new Event("focus")));
    expect(node.asked.filter((r) => r.type === "mark_read")).toEqual([
      { type: "mark_read", conversation: CHAT, position: node.history.at(-1)?.position },
    ]);
  });

  it("aren't marked read while another one is open", async () => {
    const node = talking();
    node.conversations = [
      chat({ id: CHAT, title: "bob", last: null, unread: 1 }),
      chat({ id: "d4".repeat(32), title: "carol", last: null, unread: 0 }),
    ];
    lookAway(true);
    const { client } = await shown(node, `/chat/${"d4".repeat(32)}`);
    await client.history.open(CHAT);
    node.tells({ type: "message_added", conversation: CHAT, message: message("psst") });
    await act(async () => {});
    expect(node.count("mark_read")).toBe(0);
  });

  it("say incoming messages to screen readers", async () => {
    const { node } = await shown(talking(), `/chat/${CHAT}`);
    await screen.findByText("hi alice");
    await act(async () =>
      node.tells({ type: "message_added", conversation: CHAT, message: message("psst") }),
    );
    expect(screen.getByRole("status").textContent).toBe("bob: psst");
  });

  it("show where something is missing", async () => {
    const node = talking();
    node.history.push(message("after the hole", { gap: true }));
    await shown(node, `/chat/${CHAT}`);
    expect(await screen.findByText(/Something is missing here/)).toBeTruthy();
  });

  it("show what this version can't read", async () => {
    const node = talking();
    node.history.push(message("", { body: { type: "needs_newer_version", kind: 77 } }));
    await shown(node, `/chat/${CHAT}`);
    expect(await screen.findByText(/needs a newer version/)).toBeTruthy();
  });

  it("say that the relay is away, why, and when it is tried again (B20)", async () => {
    const { node } = await shown(talking(), `/chat/${CHAT}`);
    const relay = { state: "offline", reason: "Connection refused", retry_at: Date.now() + 9_000 } as const;
    await act(async () => node.tells({ type: "status", ...status({ relay, queued: 2 }) }));
    expect(screen.getByRole("alert").textContent).toBe("Offline: Connection refused.");
    const banner = screen.getByRole("region", { name: "Connection" });
    expect(banner.textContent).toMatch(/2 messages wait on this device\. Next try in \d+ s\./);
    await accessible();
  });

  it("keep what is sent while the node is away, and show that it waits", async () => {
    const { node, user } = await shown(talking(), `/chat/${CHAT}`);
    await screen.findByText("hi alice");
    await act(async () => node.dies());
    expect(screen.getByRole("alert").textContent).toContain("isn't answering");
    await user.type(composer(), "are you there?{Enter}");
    const row = screen.getByText("are you there?").closest(".row") as HTMLElement;
    expect(within(row).getByRole("img", { name: "Not yet on this device's disk" })).toBeTruthy();
    node.up = true;
    await act(async () => node.passes(2_000));
    await waitFor(() =>
      expect(within(row).getByRole("img", { name: "Waiting on this device" })).toBeTruthy(),
    );
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("name what failed and offer a way on", async () => {
    const node = talking();
    node.instead.send = () => ({
      code: "store_failed",
      message: "The disk is full.",
      hint: "Make room.",
      retry_after: null,
    });
    const { user } = await shown(node, `/chat/${CHAT}`);
    await user.type(composer(), "too much{Enter}");
    expect((await screen.findByRole("alert")).textContent).toContain(
      "Not sent. The disk is full. Make room.",
    );
    await user.click(screen.getByRole("button", { name: "Edit" }));
    expect(composer()).toHaveProperty("value", "too much");
  });

  it("say why the list can't be shown, and try again", async () => {
    const node = talking();
    node.instead.conversations = () => ({
      code: "store_failed",
      message: "The disk fails.",
      hint: "",
      retry_after: null,
    });
    const { user } = await shown(node);
    expect((await screen.findByRole("alert")).textContent).toContain("The disk fails.");
    node.instead = {};
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("link", { name: /bob/ });
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("can be begun by name, with an error that says what is wrong", async () => {
    const { node, user } = await shown(talking());
    await user.click(screen.getByRole("button", { name: "New chat" }));
    const dialog = await screen.findByRole("dialog", { name: "New chat" });
    await waitFor(() => expect(document.activeElement).toBe(within(dialog).getByLabelText("Username")));
    await user.type(within(dialog).getByLabelText("Username"), "zed{Enter}");
    expect((await within(dialog).findByRole("alert")).textContent).toContain(
      "Nobody at this relay is called “zed”.",
    );
    await accessible();
    node.instead.add_contact = () => ({
      code: "relay_unreachable",
      message: "no",
      hint: "",
      retry_after: null,
    });
    await user.click(within(dialog).getByRole("button", { name: "Start chat" }));
    await within(dialog).findByText(/The relay can't be reached/);
    node.instead.add_contact = () => ({
      type: "contact",
      account: CHAT,
      username: "bob",
      conversation: CHAT,
      safety_number: "",
      display_name: null,
      verified: false,
      new_keys: false,
      standing: "accepted",
    });
    await user.click(within(dialog).getByRole("button", { name: "Start chat" }));
    await screen.findByText("hi alice");
    expect(window.location.pathname).toBe(`/chat/${CHAT}`);
  });

  it("show the safety number in twelve groups", async () => {
    const { user } = await shown(talking(), `/chat/${CHAT}`);
    await user.click(await screen.findByRole("button", { name: "Verify" }));
    const dialog = await screen.findByRole("dialog", { name: "Verify" });
    expect(
      within(dialog)
        .getAllByRole("listitem")
        .map((li) => li.textContent),
    ).toEqual(Array(12).fill("12345"));
    await accessible();
  });

  it("tell a newcomer what to do", async () => {
    const node = new TestNode();
    node.conversations = [];
    await shown(node);
    expect(await screen.findByRole("button", { name: "Start your first chat" })).toBeTruthy();
    expect(screen.getByText(/Others find you as/).textContent).toContain("alice");
    await accessible();
  });

  it("are left by logging out, after a question (A4)", async () => {
    const { user, client } = await shown(talking(), `/chat/${CHAT}`);
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Log out" }));
    const dialog = await screen.findByRole("alertdialog");
    await user.click(within(dialog).getByRole("button", { name: "Log out" }));
    await screen.findByText("Welcome back");
    expect(client.store.getState().timelines).toEqual({});
  });

  describe("the account", () => {
    async function account() {
      const there = await shown(talking(), `/chat/${CHAT}`);
      await there.user.click(screen.getByRole("button", { name: "Menu" }));
      await there.user.click(await screen.findByRole("menuitem", { name: "Account…" }));
      await screen.findByRole("dialog");
      return there;
    }

    it("shows where it is logged in, and ends that", async () => {
      const { node, user } = await account();
      expect(await screen.findByText("Here, now")).toBeTruthy();
      expect(screen.getByText("Somewhere else")).toBeTruthy();
      await accessible();
      await user.click(screen.getByRole("button", { name: "Log out there" }));
      await waitFor(() => expect(screen.queryByText("Somewhere else")).toBeNull());
      expect(node.asked.find((r) => r.type === "end_session")).toMatchObject({ id: "there" });
    });

    it("gives new recovery codes for a code, and says when it was wrong", async () => {
      const { node, user } = await account();
      await user.click(screen.getByRole("button", { name: "New recovery codes" }));
      node.instead.new_recovery_codes = () => ({
        code: "invalid_credentials",
        message: "The code is wrong.",
        hint: "Wait for the next one.",
        retry_after: null,
      });
      await user.type(screen.getByLabelText("A code, or one of the old recovery codes"), "111111{Enter}");
      expect(await screen.findByText("The code is wrong.")).toBeTruthy();
      await accessible();
      delete node.instead.new_recovery_codes;
      await user.type(screen.getByLabelText("A code, or one of the old recovery codes"), "aaaa-bbbb{Enter}");
      expect(await screen.findByText("eeee-ffff")).toBeTruthy();
      await accessible();
      await user.click(screen.getByRole("button", { name: "I saved them" }));
      expect(await screen.findByText("Here, now")).toBeTruthy();
      expect(screen.queryByText("eeee-ffff")).toBeNull();
    });

    it("takes a second authenticator", async () => {
      const { node, user } = await account();
      await user.click(screen.getByRole("button", { name: "Add a second authenticator" }));
      await user.type(screen.getByLabelText("A code of the one you have"), "111111{Enter}");
      await screen.findByAltText("QR code for your authenticator app");
      await accessible();
      await user.type(screen.getByLabelText("Then type the six digits it shows"), "222222");
      expect(await screen.findByText("Codes of both authenticators open the account now.")).toBeTruthy();
      expect(node.asked.find((r) => r.type === "confirm_authenticator")).toMatchObject({ code: "222222" });
    });

    it("is deleted for a code alone, and nothing of it stays on the page", async () => {
      const { client, node, user } = await account();
      await user.click(screen.getByRole("button", { name: "Delete account" }));
      expect(screen.getByRole("button", { name: "Delete everything" })).toHaveProperty("disabled", true);
      await user.type(screen.getByLabelText("A code, or a recovery code"), "111111");
      await user.click(screen.getByRole("button", { name: "Delete everything" }));
      await screen.findByText("Create your account");
      expect(node.count("delete_account")).toBe(1);
      expect(client.store.getState().timelines).toEqual({});
    });
  });

  it("can be dark or light whatever the system says (A10)", async () => {
    const { user } = await shown(talking());
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(await screen.findByRole("menuitemradio", { name: "Dark" }));
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(localStorage.getItem("livechat.theme")).toBe("dark");
  });
});
