import { createStore, type StoreApi } from "zustand/vanilla";
import type {
  Contact,
  Conversation,
  Device,
  FileSpace,
  Group,
  Handover,
  Joining,
  Message,
  SignedUp,
  Status,
  Transfer,
} from "../api";
import type { Line } from "../net/connection";
import type { Pending, Problem } from "./pending";
import type { Timeline } from "./timeline";

/** What the composer is about, besides a new message. */
export type About =
  | { readonly kind: "reply"; readonly message: Message }
  /** `draft` is what stood in the composer before. */
  | { readonly kind: "edit"; readonly message: Message; readonly draft: string };

/** How a conversation's history is being fetched. */
export type Fetching = "no" | "newest" | "older" | "newer" | Problem;

/** A message to be shown, wherever in the history it stands. */
export interface Jump {
  readonly conversation: string;
  readonly position: number;
}

/** Everything the page knows. Contents of messages live here and nowhere else: never in the browser's storage. */
export interface State {
  line: Line;
  status: Status | null;
  conversations: readonly Conversation[] | null;
  /** Why the conversations couldn't be fetched. */
  listProblem: Problem | null;
  contacts: readonly Contact[];
  /** Of this account, oldest first; none before somebody asked. */
  devices: readonly Device[] | null;
  /** History between this account's devices, by `handoverKey`. */
  handovers: Readonly<Record<string, Handover>>;
  /** By conversation. */
  groups: Readonly<Record<string, Group>>;
  /** Where one knocked and isn't in yet. */
  joinings: readonly Joining[];
  timelines: Readonly<Record<string, Timeline>>;
  fetching: Readonly<Record<string, Fetching>>;
  jump: Jump | null;
  pending: Readonly<Record<string, readonly Pending[]>>;
  drafts: Readonly<Record<string, string>>;
  abouts: Readonly<Record<string, About>>;
  /** Files on their way, by `keyOf`. */
  transfers: Readonly<Record<string, Transfer>>;
  /** Files that were chosen and not sent yet, by conversation. */
  chosen: Readonly<Record<string, readonly File[]>>;
  /** What the relay said last of room for files. */
  space: FileSpace | null;
  /** How many files the page is handing to the node, by conversation. */
  handing: Readonly<Record<string, number>>;
  /** What somebody asked for and didn't get. */
  refusal: Problem | null;
  /** Recovery codes and phrase that wait for "I saved them"; they are shown once. */
  signedUp: SignedUp | null;
  /** The latest incoming message, for screen readers. */
  announcement: { readonly count: number; readonly text: string };
}

export type Store = StoreApi<State>;

const EMPTY: Omit<State, "line" | "status" | "signedUp"> = {
  conversations: null,
  listProblem: null,
  contacts: [],
  devices: null,
  handovers: {},
  groups: {},
  joinings: [],
  timelines: {},
  fetching: {},
  jump: null,
  pending: {},
  drafts: {},
  abouts: {},
  transfers: {},
  chosen: {},
  space: null,
  handing: {},
  refusal: null,
  announcement: { count: 0, text: "" },
};

export function newStore(): Store {
  return createStore<State>(() => ({
    line: { state: "connecting" },
    status: null,
    signedUp: null,
    ...EMPTY,
  }));
}

/** The account that is logged in. */
export function ownAccount({ status }: State): string {
  return status?.account.state === "active" ? status.account.account : "";
}

/** Forgets what belongs to an account that isn't logged in any more. */
export function forget(store: Store): void {
  store.setState(EMPTY);
}
