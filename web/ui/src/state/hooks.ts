import { createContext, use, useEffect, useState } from "react";
import { useStore } from "zustand";
import type { Client } from "./client";
import type { State } from "./store";

export const ClientContext = createContext<Client | null>(null);

/** What the page can do. */
export function useClient(): Client {
  const client = use(ClientContext);
  if (!client) throw new Error("no client around this component");
  return client;
}

/** A part of what the page knows. `select` must give the same value for the same state. */
export function usePart<T>(select: (state: State) => T): T {
  return useStore(useClient().store, select);
}

/** The current time, renewed every `milliseconds`. */
export function useNow(milliseconds: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return now;
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const onChange = () => setMatches(list.matches);
    onChange();
    list.addEventListener("change", onChange);
    return () => list.removeEventListener("change", onChange);
  }, [query]);
  return matches;
}
