import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { joinState, linkState } from "../src/text/links";
import { accessible } from "./accessible";
import { chat, group, LINK, ROOM, TestNode } from "./node";
import { shown } from "./shown";

describe("links into a group", () => {
  it("are made, shown as text and code, copied on a click and no sooner, and revoked", async () => {
    const node = new TestNode();
    node.groups = [group()];
    node.conversations = [chat({ id: ROOM, group: true, title: "hikers" })];
    const { user } = await shown(node, `/chat/${ROOM}`);
    const copied = vi.spyOn(navigator.clipboard, "writeText");
    await user.click(await screen.findByRole("button", { name: "Members" }));
    await user.click(await screen.findByRole("button", { name: "Links into the group" }));
    await user.selectOptions(await screen.findByLabelText("Open"), "for a day");
    await user.type(screen.getByLabelText("For how many people"), "5");
    await accessible();
    await user.click(screen.getByRole("button", { name: "Make a link" }));
    expect(node.asked.find((r) => r.type === "make_link")).toEqual({
      type: "make_link",
      conversation: ROOM,
      expires_in: 86_400,
      uses: 5,
    });
    await screen.findByAltText("QR code of the link");
    await accessible();
    expect(copied).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Copy link" }));
    expect(copied).toHaveBeenCalledWith("livechat:join:aeaq");
    await user.click(screen.getByRole("button", { name: "Back" }));
    await user.click(await screen.findByRole("button", { name: "Revoke" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Revoke" })).toBeNull());
    expect(node.links).toEqual([]);
  });

  it("say how they stand", () => {
    expect(linkState(LINK)).toBe("Open");
    expect(linkState({ ...LINK, uses: 3, used: 3, state: "used_up" })).toBe("Used up, 3 of 3 used");
    const joining = { door: "", since: 0, doorkeepers: ["bob", "eve"] };
    expect(joinState({ ...joining, state: { state: "waiting" } })).toBe(
      "Waiting for bob or eve to let you in.",
    );
    expect(joinState({ ...joining, state: { state: "refused", why: "full" } })).toBe("The group is full.");
  });
});

describe("joining by a link", () => {
  it("waits in sight until somebody opens, and can be given up", async () => {
    const { node, user } = await shown(new TestNode(), "/");
    await user.click(screen.getByRole("button", { name: "New group" }));
    await user.click(await screen.findByRole("button", { name: "Join a group by a link instead" }));
    await user.click(await screen.findByLabelText("Link"));
    await user.paste("livechat:join:xyz");
    await accessible();
    await user.click(screen.getByRole("button", { name: "Join" }));
    await screen.findByText("Waiting for bob to let you in.");
    expect(node.asked.find((r) => r.type === "join_link")).toEqual({
      type: "join_link",
      link: "livechat:join:xyz",
    });
    await accessible();
    await user.click(screen.getByRole("button", { name: "Wait no longer" }));
    await waitFor(() => expect(screen.queryByText("Waiting for bob to let you in.")).toBeNull());
  });

  it("says why nobody opens", async () => {
    const { user } = await shown(new TestNode(), "/").then(({ node, user }) => {
      node.instead.join_link = () => ({
        code: "bad_request",
        message: "That is no invitation link.",
        hint: "Copy all of it.",
        retry_after: null,
      });
      return { user };
    });
    await user.click(screen.getByRole("button", { name: "New group" }));
    await user.click(await screen.findByRole("button", { name: "Join a group by a link instead" }));
    await user.type(await screen.findByLabelText("Link"), "x");
    await user.click(screen.getByRole("button", { name: "Join" }));
    expect((await screen.findByRole("alert")).textContent).toContain("That is no invitation link.");
  });
});

describe("the lobby", () => {
  it("is one click away, and says what it is", async () => {
    const node = new TestNode();
    node.conversations = [];
    const { user } = await shown(node, "/");
    await user.click(await screen.findByRole("button", { name: /^Go to the lobby/ }));
    await screen.findByRole("region", { name: "Group Lobby" });
    await user.click(await screen.findByRole("button", { name: "Members" }));
    await screen.findByText(/everybody of your relay may come in/);
    await accessible();
  });
});
