import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Group, Message, Notice } from "../src/api";
import { heldBack, mayLead, mayRemove, rolesFor } from "../src/text/groups";
import { inOneLine } from "../src/text/notices";
import { accessible } from "./accessible";
import { ALICE, BOB, CAROL, CHAT, chat, group, member, message, ROOM, TestNode } from "./node";
import { shown, type User } from "./shown";

/** The group of alice, bob and carol, open. */
async function meeting(change: Partial<Group> = {}, ...history: Message[]) {
  const node = new TestNode();
  node.groups = [group(change)];
  node.conversations = [chat({ id: ROOM, group: true, title: "hikers" }), chat()];
  node.history = history;
  return shown(node, `/chat/${ROOM}`);
}

async function members(user: User) {
  await user.click(await screen.findByRole("button", { name: "Members" }));
  return screen.findByRole("dialog", { name: "Group" });
}

async function about(user: User, name: string, deed: string) {
  await user.click(screen.getByRole("button", { name: `Options for ${name}` }));
  await user.click(await screen.findByRole("menuitem", { name: deed }));
}

const composer = () => screen.queryByRole("textbox", { name: /^Message to/ });
const notice = (what: Notice, change: Partial<Message> = {}) =>
  message("", { body: { type: "notice", notice: what }, ...change });
// A notice is never an own message, even of what one did oneself.
const MINE = { author: ALICE, author_name: "alice" };
const bob = { account: BOB, username: "bob" };
const carol = { account: CAROL, username: "carol" };

describe("a new group", () => {
  it("has a title, contacts by a tick and others by name, all by keyboard", async () => {
    const { node, user } = await shown(new TestNode(), "/");
    await user.click(screen.getByRole("button", { name: "New group" }));
    const title = await screen.findByLabelText("Title");
    await waitFor(() => expect(document.activeElement).toBe(title));
    await accessible();
    await user.keyboard("hikers");
    await user.tab();
    expect(document.activeElement).toBe(screen.getByRole("checkbox", { name: "bob" }));
    await user.keyboard(" ");
    await user.tab();
    await user.keyboard("carol{Enter}");
    expect(screen.getByRole("checkbox", { name: "carol" })).toHaveProperty("checked", true);
    expect(screen.getByText(/^2 chosen/)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Make the group" }));
    await screen.findByRole("region", { name: "Group hikers" });
    expect(window.location.pathname).toBe(`/chat/${ROOM}`);
    expect(node.asked.find((r) => r.type === "create_group")).toEqual({
      type: "create_group",
      title: "hikers",
      members: ["bob", "carol"],
    });
  });

  it("takes the name that still stands in the field, and says why it can't be made", async () => {
    const { node, user } = await shown(new TestNode(), "/");
    node.instead.create_group = () => ({
      code: "too_many_requests",
      message: "There are too many groups.",
      hint: "",
      retry_after: null,
    });
    await user.click(screen.getByRole("button", { name: "New group" }));
    await user.type(await screen.findByLabelText("Title"), "hikers");
    await user.type(screen.getByLabelText("Somebody else's username"), "dave");
    await user.click(screen.getByRole("button", { name: "Make the group" }));
    expect((await screen.findByRole("alert")).textContent).toContain("There are too many groups.");
    expect(node.asked.find((r) => r.type === "create_group")).toMatchObject({ members: ["dave"] });
  });

  it("wants a title that fits", async () => {
    const { user } = await shown(new TestNode(), "/");
    await user.click(screen.getByRole("button", { name: "New group" }));
    const make = screen.getByRole("button", { name: "Make the group" });
    expect(make).toHaveProperty("disabled", true);
    await user.click(await screen.findByLabelText("Title"));
    await user.paste("ü".repeat(65));
    expect(screen.getByText("Too long by 2 bytes.")).toBeTruthy();
    expect(make).toHaveProperty("disabled", true);
  });
});

describe("a group", () => {
  it("says how many are in it, who wrote what, and how far it got with everybody", async () => {
    await meeting(
      {},
      message("hi", { author: BOB, author_name: "bob" }),
      message("hello", { author: CAROL, author_name: "carol" }),
      message("and me", { author: CAROL, author_name: "carol" }),
      message("mine", { own: true, delivery: "read" }),
    );
    expect(screen.getByText(/^3 members · End-to-end encrypted/)).toBeTruthy();
    const names = [...document.querySelectorAll(".row .author")];
    expect(names.map((n) => n.textContent)).toEqual(["bob", "carol"]);
    const hues = names.map((n) => (n as HTMLElement).style.getPropertyValue("--hue"));
    expect(new Set(hues).size).toBe(2);
    // The second one in a row is carol's too, for those who don't see where it stands.
    expect(screen.getByText("and me").closest(".bubble")?.textContent).toContain("carol: and me");
    expect(screen.getByRole("img", { name: "Read by everybody else" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Verify" })).toBeNull();
    await accessible();
  });

  it("tells what happened to it, and shows names and titles as text", async () => {
    await meeting(
      {},
      notice({ what: "joined", title: "hikers" }),
      notice({ what: "added", who: [carol, { account: ALICE, username: "alice" }] }),
      notice({ what: "title_changed", title: "<b>climbers</b>" }, MINE),
      notice({ what: "left", who: carol }, { author: CAROL, author_name: "carol" }),
      message("", { body: { type: "timer", seconds: 0 }, ...MINE }),
    );
    const lines = [...document.querySelectorAll(".notice")].map((n) => n.textContent?.trim());
    expect(lines).toEqual([
      "bob added you to the group hikers.",
      "bob added carol and you.",
      "You changed the title to <b>climbers</b>.",
      "carol left.",
      "You let messages stay.",
    ]);
    expect(document.querySelector(".notice b")).toBeNull();
    expect(screen.queryByRole("button", { name: "Message actions" })).toBeNull();
  });

  it("has a list of members, with what an owner may do about each", async () => {
    const { node, user } = await meeting();
    const sheet = await members(user);
    const list = within(sheet).getAllByRole("listitem");
    expect(list.map((li) => li.querySelector(".member-name")?.textContent)).toEqual([
      "alice (you)Owner",
      "bobMember",
      "carolMember",
    ]);
    // The last owner can't lay the role down, nor leave.
    expect(within(sheet).queryByRole("button", { name: "Options for alice" })).toBeNull();
    await accessible();
    await about(user, "bob", "Make an admin");
    await waitFor(() => expect(within(sheet).getByText("Admin")).toBeTruthy());
    expect(node.asked.find((r) => r.type === "set_role")).toMatchObject({ account: BOB, role: "admin" });
    await user.click(within(sheet).getByRole("button", { name: "Leave the group" }));
    expect(within(sheet).getByText(/only owner/)).toBeTruthy();
    expect(within(sheet).queryByRole("button", { name: "Leave" })).toBeNull();
    expect(document.activeElement).toBe(within(sheet).getByRole("button", { name: "Back" }));
  });

  it("lets an owner remove somebody, after a second look", async () => {
    const { node, user } = await meeting();
    const sheet = await members(user);
    await about(user, "carol", "Remove from the group…");
    const keep = await within(sheet).findByRole("button", { name: "Keep them" });
    await waitFor(() => expect(document.activeElement).toBe(keep));
    await accessible();
    await user.click(within(sheet).getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(within(sheet).queryByText("carol")).toBeNull());
    expect(node.asked.find((r) => r.type === "remove_member")).toMatchObject({ account: CAROL });
    expect(document.activeElement?.textContent).toBe("2 members");
  });

  it("takes a new title and an invitation", async () => {
    const { node, user } = await meeting();
    const sheet = await members(user);
    await user.click(within(sheet).getByRole("button", { name: "Change the title" }));
    await user.keyboard("climbers{Enter}");
    await within(sheet).findByText("climbers");
    expect(node.asked.find((r) => r.type === "set_title")).toMatchObject({ title: "climbers" });
    await user.click(within(sheet).getByRole("button", { name: "Invite somebody" }));
    await user.keyboard("dave{Enter}");
    await within(sheet).findByText("dave");
    expect(node.asked.find((r) => r.type === "invite")).toMatchObject({ username: "dave" });
  });

  it("says plainly what one's role doesn't allow", async () => {
    const { node, user } = await meeting();
    const refusal = { code: "not_allowed", message: "Your role in the group doesn't allow that." };
    node.instead.invite = () => ({ ...refusal, hint: "Ask an owner or an admin.", retry_after: null });
    const sheet = await members(user);
    await user.click(within(sheet).getByRole("button", { name: "Invite somebody" }));
    await user.keyboard("dave{Enter}");
    const alert = await within(sheet).findByRole("alert");
    expect(alert.textContent).toContain("Your role in the group doesn't allow that.");
  });

  it("offers a member nothing but to leave; then nothing can be written, and it says why", async () => {
    const { node, user } = await meeting(
      {
        own_role: "member",
        members: [member("alice", ALICE), member("bob", BOB, "owner"), member("carol", CAROL, "admin")],
      },
      message("hi"),
    );
    const sheet = await members(user);
    expect(within(sheet).queryByRole("button", { name: /^Options for/ })).toBeNull();
    expect(within(sheet).queryByRole("button", { name: "Invite somebody" })).toBeNull();
    await user.click(within(sheet).getByRole("button", { name: "Leave the group" }));
    await user.click(within(sheet).getByRole("button", { name: "Leave" }));
    expect(await screen.findByText(/You left this group\./)).toBeTruthy();
    expect(node.count("leave_group")).toBe(1);
    expect(composer()).toBeNull();
    await user.click(screen.getByRole("button", { name: "Message actions" }));
    await screen.findByRole("menuitem", { name: "Copy text" });
    expect(screen.queryByRole("menuitem", { name: "Reply" })).toBeNull();
    await accessible();
  });

  it("keeps its timer to owners and admins", async () => {
    const { node, user } = await meeting({ own_role: "member" });
    await user.click(screen.getByRole("button", { name: "Chat options" }));
    await screen.findByRole("menuitem", { name: "Archive" });
    expect(screen.queryByRole("menuitemradio", { name: "1 day" })).toBeNull();
    await act(async () => void node.groupBecomes(ROOM, { own_role: "admin" }));
    expect(await screen.findByRole("menuitemradio", { name: "1 day" })).toBeTruthy();
  });

  it("that removed one says so at once", async () => {
    const { node } = await meeting({}, message("hi"));
    expect(composer()).toBeTruthy();
    await act(async () => void node.groupBecomes(ROOM, { standing: "removed" }));
    expect(screen.getByText(/You were removed from this group\./)).toBeTruthy();
    expect(composer()).toBeNull();
    await accessible();
  });

  it("shows that changes wait for the relay, and that writing goes on", async () => {
    const { node } = await meeting();
    await act(async () => void node.groupBecomes(ROOM, { pending: 2, waiting: true }));
    expect(screen.getByText(/2 changes wait for the relay/).closest("[role=status]")).toBeTruthy();
    expect(composer()).toBeTruthy();
    await accessible();
    await act(async () => void node.groupBecomes(ROOM, { pending: 0, waiting: false }));
    expect(screen.queryByText(/wait for the relay/)).toBeNull();
  });

  it("says who puts changes in order while the relay is away", async () => {
    const { node } = await meeting();
    await act(async () => void node.groupBecomes(ROOM, { order: "nobody" }));
    expect(screen.getByText(/so is everybody who could put changes in order/)).toBeTruthy();
    await act(async () => void node.groupBecomes(ROOM, { order: "here", provisional: 1 }));
    expect(screen.getByText(/This device puts changes in order meanwhile/)).toBeTruthy();
    expect(screen.getByText(/Changed without the relay/)).toBeTruthy();
    await accessible();
    await act(async () => void node.groupBecomes(ROOM, { order: "relay", provisional: 0 }));
    expect(screen.queryByText(/in order meanwhile|without the relay/)).toBeNull();
  });

  it("raises the alarm when the relay told two stories", async () => {
    await meeting({ forked: true });
    expect(screen.getByRole("alert").textContent).toContain("may not all see the same group");
  });

  it("of strangers is a request that says who is in it", async () => {
    const node = new TestNode();
    node.groups = [group({ own_role: "member" })];
    node.conversations = [chat({ id: ROOM, group: true, title: "hikers", standing: "request" })];
    node.history = [message("join us")];
    const { user } = await shown(node, `/chat/${ROOM}`);
    const banner = screen.getByRole("region", { name: "Message request" });
    expect(banner.textContent).toContain("added you to the group hikers, 3 members: bob, carol.");
    await accessible();
    await user.click(within(banner).getByRole("button", { name: "Accept" }));
    expect(node.asked.find((r) => r.type === "accept")).toMatchObject({ conversation: ROOM });
  });

  it("is said to screen readers: who wrote where, and what became of it", async () => {
    const { node } = await meeting();
    const says = (m: Message) =>
      act(async () => node.tells({ type: "message_added", conversation: ROOM, message: m }));
    await says(message("hi"));
    expect(screen.getByText("bob in hikers: hi")).toBeTruthy();
    await says(notice({ what: "removed", who: [carol] }, MINE));
    expect(screen.getByText("hikers: You removed carol")).toBeTruthy();
  });

  it("comes in by itself, and is fetched once", async () => {
    const { node, client } = await shown(new TestNode(), `/chat/${CHAT}`);
    expect(node.count("group")).toBe(0);
    node.groups = [group()];
    const room = chat({ id: ROOM, group: true, title: "hikers" });
    node.conversations = [room, ...node.conversations];
    await act(async () => node.tells({ type: "conversation_changed", conversation: room }));
    await act(async () => node.passes(1_000));
    expect(client.store.getState().groups[ROOM]?.members).toHaveLength(3);
    expect(node.count("group")).toBe(1);
    await act(async () => node.tells({ type: "conversation_changed", conversation: room }));
    await act(async () => node.passes(1_000));
    expect(node.count("group")).toBe(1);
    expect(screen.getByRole("img", { name: "Group" })).toBeTruthy();
  });

  it("is fetched again after a break", async () => {
    const { node, client } = await meeting();
    await act(async () => node.dies());
    node.groups = [group({ standing: "removed" })];
    node.up = true;
    await act(async () => node.passes(1_000));
    expect(client.store.getState().groups[ROOM]?.standing).toBe("removed");
  });
});

describe("roles", () => {
  const of = (own_role: Group["own_role"], ...others: Group["own_role"][]) =>
    group({
      own_role,
      members: [member("alice", ALICE, own_role), ...others.map((r, i) => member(`m${i}`, `0${i}`, r))],
    });

  it("decide what is offered (R-72)", () => {
    const admin = of("admin", "owner", "admin", "member");
    expect(mayLead(admin)).toBe(true);
    expect(admin.members.map((m) => mayRemove(admin, m))).toEqual([false, false, false, true]);
    expect(admin.members.map((m) => rolesFor(admin, m))).toEqual([["member"], [], [], []]);
    const owner = of("owner", "owner", "member");
    expect(owner.members.map((m) => mayRemove(owner, m))).toEqual([false, true, true]);
    expect(rolesFor(owner, owner.members[0] as never)).toEqual(["member", "admin"]);
    expect(heldBack(owner)).toBe(false);
    expect(heldBack(of("owner", "admin"))).toBe(true);
    expect(heldBack(of("owner"))).toBe(false);
    expect(mayLead({ ...owner, standing: "left" })).toBe(false);
  });
});

describe("notices", () => {
  const said = (what: Notice, change: Partial<Message> = {}) => {
    return inOneLine(notice(what, change), ALICE);
  };

  it("are said in whole sentences", () => {
    expect(said({ what: "joined", title: "hikers" }, MINE)).toBe("You made the group hikers");
    expect(said({ what: "removed", who: [{ account: ALICE, username: "alice" }] })).toBe("bob removed you");
    expect(said({ what: "added", who: [bob, carol, { account: "x", username: "dave" }] }, MINE)).toBe(
      "You added bob, carol and dave",
    );
    expect(said({ what: "role_changed", who: carol, role: "admin" })).toBe("bob made carol an admin");
    expect(said({ what: "role_changed", who: bob, role: "member" })).toBe("bob laid the role down");
    expect(said({ what: "commit_refused" })).toContain("Every device refused it");
    expect(said({ what: "not_done", about: "adding dave: no such name" })).toBe(
      "Not done: adding dave: no such name",
    );
    expect(said({ what: "forked" })).toContain("different groups");
    expect(said({ what: "rewound", changes: 2 })).toContain("taken back");
  });
});
