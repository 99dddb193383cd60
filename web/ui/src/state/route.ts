import { useSyncExternalStore } from "react";
import type { AccountState } from "../api";

/** Where the page stands. */
export type Route =
  | { name: "home" }
  | { name: "login" }
  | { name: "signup" }
  | { name: "link" }
  | { name: "chat"; conversation: string };

export function parseRoute(path: string): Route {
  if (path === "/login") return { name: "login" };
  if (path === "/signup") return { name: "signup" };
  if (path === "/link") return { name: "link" };
  const chat = /^\/chat\/([0-9a-f]{64})$/.exec(path)?.[1];
  return chat ? { name: "chat", conversation: chat } : { name: "home" };
}

export function pathOf(route: Route): string {
  if (route.name === "home") return "/";
  return route.name === "chat" ? `/chat/${route.conversation}` : `/${route.name}`;
}

/** Where one may be in this state of the account; a path that isn't allowed leads to the nearest one that is. */
export function guard(route: Route, account: AccountState, codesShown: boolean): Route {
  if (codesShown || account.state === "pending") return { name: "signup" };
  if (account.state === "logged_out" || account.state === "locked") return { name: "login" };
  if (account.state === "linking") return { name: "link" };
  const entry = route.name === "login" || route.name === "signup" || route.name === "link";
  if (account.state === "none") return entry ? route : { name: "signup" };
  return entry ? { name: "home" } : route;
}

const CHANGED = "livechat:route";

export function navigate(route: Route, how: "push" | "replace" = "push"): void {
  const path = pathOf(route);
  if (path === window.location.pathname) return;
  if (how === "push") window.history.pushState(null, "", path);
  else window.history.replaceState(null, "", path);
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener("popstate", changed);
    window.removeEventListener(CHANGED, changed);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}
