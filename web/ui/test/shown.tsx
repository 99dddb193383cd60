import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { App } from "../src/App";
import { Client } from "../src/state/client";
import { ClientContext } from "../src/state/hooks";
import type { TestNode } from "./node";

export type User = ReturnType<typeof userEvent.setup>;

/** The page at `path` in front of a node, with somebody logged in and everything asked for that it shows. */
export async function shown(node: TestNode, path = "/") {
  window.history.replaceState(null, "", path);
  const client = new Client(node.surroundings());
  client.start();
  render(
    <ClientContext value={client}>
      <App />
    </ClientContext>,
  );
  await screen.findByRole("button", { name: "New group" });
  if (path.startsWith("/chat/")) await screen.findByRole("log");
  await act(async () => {});
  return { node, client, user: userEvent.setup() };
}
