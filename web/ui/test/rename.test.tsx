import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Message } from "../src/api";
import { happened, plain } from "../src/text/notices";
import { accessible } from "./accessible";
import { TestNode } from "./node";
import { shown } from "./shown";

describe("another username", () => {
  it("is taken with a code, says why it can't be, and shows at once", async () => {
    const node = new TestNode();
    const { user } = await shown(node);
    await user.click(screen.getByRole("button", { name: "Menu" }));
    await user.click(await screen.findByRole("menuitem", { name: "Account…" }));
    const sheet = within(await screen.findByRole("dialog", { name: "Account" }));
    await user.click(sheet.getByRole("button", { name: "Change username" }));
    const name = await sheet.findByLabelText("New username");
    expect(document.activeElement).toBe(name);
    await accessible();
    await user.type(name, "bob");
    expect(sheet.getByRole("button", { name: "Change it" })).toHaveProperty("disabled", true);
    await user.type(sheet.getByLabelText("A code, or a recovery code"), "123456{Enter}");
    expect(await sheet.findByText(/Somebody has this name/)).toBeTruthy();
    await user.clear(name);
    await user.type(name, "alicia");
    await user.type(sheet.getByLabelText("A code, or a recovery code"), "234567{Enter}");
    expect(await sheet.findByText(/That is your name now/)).toBeTruthy();
    expect(node.asked.filter((r) => r.type === "change_username")).toEqual([
      { type: "change_username", username: "bob", code: "123456" },
      { type: "change_username", username: "alicia", code: "234567" },
    ]);
  });

  it("of somebody else is a line in the chat", () => {
    const notice = { what: "renamed" as const, was: "alice", now: "alicia" };
    const message = { author: "1", author_name: "alicia", body: { type: "notice", notice } } as Message;
    expect(plain(happened(message, "2") ?? [])).toBe("alice is called alicia from now on");
  });
});
