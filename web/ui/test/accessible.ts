import axe from "axe-core";
import { expect } from "vitest";

/** What axe finds on the page: nothing. Colours are judged in a real browser. */
export async function accessible() {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
}
