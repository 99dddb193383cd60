import type { Message } from "../api";

/** A message on its way from this page to the node's disk. Once the node has it, it is a message like any other. */
export interface Pending {
  /** Chosen here, so that handing it over twice is handing it over once. */
  readonly id: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly written: number;
  /** The message that it answers. */
  readonly answers?: Message;
  /** Why the node refused it; while absent it is tried again with every new connection. */
  readonly problem?: Problem;
}

/** A failure in words: what, and what to do next. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** Sixteen random bytes as 32 hexadecimal digits. */
export function newMessageId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** Bytes a text may have (the wire's limit). */
export const TEXT_BYTES = 32 * 1024;

/** Bytes a group's title may have. */
export const TITLE_BYTES = 128;

/** Bytes of a text on the wire. */
export function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
