import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { accessible } from "./accessible";
import { TestNode } from "./node";
import { shown, type User } from "./shown";

async function account(node: TestNode) {
  const page = await shown(node);
  await open(page.user);
  return page;
}

async function open(user: User) {
  await user.click(screen.getByRole("button", { name: "Menu" }));
  await user.click(await screen.findByRole("menuitem", { name: "Account…" }));
  await screen.findByRole("dialog", { name: "Account" });
}

const part = () => within(screen.getByRole("region", { name: "How others see you" }));
const field = () => part().findByLabelText<HTMLInputElement>("Name beside your username");
const save = () => part().getByRole("button", { name: "Save the name" });
const asked = (node: TestNode) =>
  node.asked.flatMap((r) => (r.type === "set_profile" ? [r.display_name] : []));

describe("the name that others see", () => {
  it("is shown, changed and cleared, and says so", async () => {
    const node = new TestNode();
    node.displayName = "Ali";
    const { user } = await account(node);
    expect((await field()).value).toBe("Ali");
    expect(save()).toHaveProperty("disabled", true);
    await accessible();
    await user.type(await field(), "ce Liddell  {Enter}");
    expect(await part().findByText("Saved.")).toBeTruthy();
    expect(part().getByRole("status").textContent).toBe("Saved.");
    expect((await field()).value).toBe("Alice Liddell");
    expect(save()).toHaveProperty("disabled", true);
    // What is typed next isn't saved yet.
    await user.type(await field(), "!");
    expect(part().queryByText("Saved.")).toBeNull();
    await user.click(part().getByRole("button", { name: "Clear" }));
    expect(await part().findByText("Cleared. Others see your username alone.")).toBeTruthy();
    expect((await field()).value).toBe("");
    expect(part().queryByRole("button", { name: "Clear" })).toBeNull();
    expect(document.activeElement).toBe(await field());
    expect(asked(node)).toEqual(["Alice Liddell", ""]);
    await user.click(screen.getByRole("button", { name: "Done" }));
    node.displayName = "set elsewhere";
    await open(user);
    expect((await field()).value).toBe("set elsewhere");
  });

  it("has at most 128 bytes, whatever the script", async () => {
    const node = new TestNode();
    const { user } = await account(node);
    const name = await field();
    await user.click(name);
    await user.paste("ж".repeat(64));
    expect(name.getAttribute("aria-invalid")).toBe("false");
    await user.keyboard("x");
    expect(part().getByText("Too long by 1 byte.")).toBeTruthy();
    expect(name.getAttribute("aria-invalid")).toBe("true");
    expect(save()).toHaveProperty("disabled", true);
    await user.keyboard("{Enter}");
    expect(asked(node)).toEqual([]);
    await user.keyboard("{Backspace}{Enter}");
    await part().findByText("Saved.");
    expect(asked(node)).toEqual(["ж".repeat(64)]);
  });

  it("stays in the field when it is refused, with the reason", async () => {
    const node = new TestNode();
    node.instead.set_profile = () => ({
      code: "store_failed",
      message: "The disk is full.",
      hint: "Make room.",
      retry_after: null,
    });
    const { user } = await account(node);
    await user.type(await field(), "Ali{Enter}");
    expect((await part().findByRole("alert")).textContent).toBe("The disk is full. Make room.");
    expect((await field()).value).toBe("Ali");
    expect((await field()).getAttribute("aria-invalid")).toBe("true");
    expect(part().queryByText("Saved.")).toBeNull();
    await accessible();
    delete node.instead.set_profile;
    await user.click(save());
    await part().findByText("Saved.");
    expect(part().queryByRole("alert")).toBeNull();
  });

  it("that can't be had says why, and is asked for again", async () => {
    const node = new TestNode();
    node.instead.profile = () => ({ code: "store_failed", message: "No.", hint: "", retry_after: null });
    const { user } = await account(node);
    expect((await part().findByRole("alert")).textContent).toContain("No.");
    expect(part().queryByRole("textbox")).toBeNull();
    delete node.instead.profile;
    await user.click(part().getByRole("button", { name: "Try again" }));
    expect(await field()).toBeTruthy();
  });
});
