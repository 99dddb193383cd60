import type { ErrorCode, Event, Request, Response, ServerFrame } from "../api";
import { backoff } from "./backoff";
import type { Admission } from "./session";

/** Where the line to the node stands. */
export type Line =
  | { state: "connecting" }
  | { state: "open" }
  | { state: "waiting"; retryAt: number }
  /** The node wants a new one-time link. */
  | { state: "refused" };

/** The answer to a request of type `T`. */
export type Answer<T extends Request["type"]> = Extract<Response, { type: AnswerTo[T] }>;

interface AnswerTo {
  status: "status";
  check_username: "username";
  sign_up: "sign_up";
  confirm_sign_up: "signed_up";
  cancel_sign_up: "done";
  link: "linking" | "done";
  cancel_link: "done";
  devices: "devices";
  add_device: "done";
  remove_device: "done";
  erase: "done";
  log_in: "done";
  log_out: "done";
  phrase: "phrase";
  confirm_phrase: "done";
  check_phrase: "done";
  lock: "done";
  unlock_by_phrase: "done";
  unlock_by_passphrase: "done";
  vault: "vault";
  set_vault: "done";
  set_passphrase: "done";
  new_recovery_codes: "recovery_codes";
  add_authenticator: "authenticator";
  confirm_authenticator: "done";
  remove_authenticator: "done";
  sessions: "sessions";
  end_session: "done";
  change_username: "done";
  delete_account: "done";
  add_contact: "contact";
  contacts: "contacts";
  conversations: "conversations";
  history: "history";
  history_at: "history";
  search: "found";
  backup: "backed_up";
  restore: "restored";
  verify: "done";
  safety_code: "safety_code";
  check_code: "contact";
  send: "sent";
  file_space: "file_space";
  direct_files: "direct_files";
  set_direct_files: "done";
  send_file: "transfer";
  fetch_file: "transfer";
  save_file: "saved";
  transfers: "transfers";
  give_history: "handover";
  handovers: "handovers";
  cancel_handover: "done";
  history_size: "history_size";
  cancel_transfer: "done";
  mark_read: "done";
  forward: "sent";
  edit: "sent";
  react: "sent";
  revisions: "revisions";
  delete: "done";
  set_timer: "done";
  typing: "done";
  set_draft: "done";
  accept: "done";
  block: "done";
  pin: "done";
  mute: "done";
  archive: "done";
  profile: "profile";
  set_profile: "done";
  create_group: "group_created";
  group: "group";
  make_link: "link";
  links: "links";
  revoke_link: "done";
  join_link: "joining";
  lobby: "joining";
  joinings: "joinings";
  cancel_join: "done";
  invite: "done";
  remove_member: "done";
  set_role: "done";
  set_title: "done";
  leave_group: "done";
}

/** The node refused a request, for a reason people can read. */
export class Refused extends globalThis.Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryAfter: number | null;

  constructor(error: { code: ErrorCode; message: string; hint: string; retry_after: number | null }) {
    super(error.message);
    this.name = "Refused";
    this.code = error.code;
    this.hint = error.hint;
    this.retryAfter = error.retry_after;
  }
}

/** The line broke before the answer came: it is unknown whether the request was carried out. */
export class LineLost extends globalThis.Error {
  constructor() {
    super("The node on this computer isn't answering.");
    this.name = "LineLost";
  }
}

/** The part of the browser's WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

/** What the connection needs from outside; tests bring their own. */
export interface Surroundings {
  open(): Socket;
  admission(): Promise<Admission>;
  now(): number;
  dice(): number;
  after(milliseconds: number, run: () => void): () => void;
}

/** What the connection tells. */
export interface Listener {
  line(line: Line): void;
  event(event: Event): void;
}

interface Waiting {
  resolve(answer: Response): void;
  reject(error: globalThis.Error): void;
  cancelTimeout(): void;
}

/** The node answers from its own disk or asks the relay; a minute without a word means that the line is dead. */
const ANSWER_WITHIN = 60_000;
const OPEN_WITHIN = 10_000;

/** One WebSocket to the node that comes back by itself, with requests matched to answers by number. */
export class Connection {
  private socket: Socket | null = null;
  private opened = false;
  private attempt = 0;
  private lastId = 0;
  private stopped = true;
  private cancelTimer = () => {};
  private readonly waiting = new Map<number, Waiting>();
  private readonly around: Surroundings;
  private readonly listener: Listener;

  constructor(around: Surroundings, listener: Listener) {
    this.around = around;
    this.listener = listener;
  }

  /** Connects, and again whenever the line breaks. */
  start(): void {
    this.stopped = false;
    this.retryNow();
  }

  /** Closes for good. */
  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.drop();
  }

  /** Doesn't wait for the next try. */
  retryNow(): void {
    if (this.stopped || this.socket) return;
    this.attempt = 0;
    this.connect();
  }

  /** Asks the node. Rejects with {@link Refused} or {@link LineLost}. */
  request<R extends Request>(request: R): Promise<Answer<R["type"]>> {
    const socket = this.socket;
    if (!socket || !this.opened) return Promise.reject(new LineLost());
    this.lastId = (this.lastId % 0xffff_fffe) + 1;
    const id = this.lastId;
    return new Promise<Response>((resolve, reject) => {
      const cancelTimeout = this.around.after(ANSWER_WITHIN, () => this.lost(socket));
      this.waiting.set(id, { resolve, reject, cancelTimeout });
      socket.send(JSON.stringify({ id, request }));
    }) as Promise<Answer<R["type"]>>;
  }

  private connect(): void {
    this.cancelTimer();
    this.listener.line({ state: "connecting" });
    const socket = this.around.open();
    this.socket = socket;
    this.cancelTimer = this.around.after(OPEN_WITHIN, () => this.lost(socket));
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.cancelTimer();
      this.opened = true;
      this.attempt = 0;
      this.listener.line({ state: "open" });
    };
    socket.onclose = () => this.lost(socket);
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      const frame = parse(data);
      if (frame) this.read(frame);
      else this.lost(socket);
    };
  }

  private read(frame: ServerFrame): void {
    if ("event" in frame) {
      this.listener.event(frame.event);
      return;
    }
    const waiting = frame.id === null ? undefined : this.waiting.get(frame.id);
    if (!waiting || frame.id === null) return;
    this.waiting.delete(frame.id);
    waiting.cancelTimeout();
    if ("ok" in frame) waiting.resolve(frame.ok);
    else waiting.reject(new Refused(frame.error));
  }

  private lost(socket: Socket): void {
    if (socket !== this.socket) return;
    this.drop();
    if (!this.stopped) void this.comeBack();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.opened = false;
    this.cancelTimer();
    if (socket) {
      socket.onopen = null;
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { cancelTimeout, reject } of waiting) {
      cancelTimeout();
      reject(new LineLost());
    }
  }

  /** A browser doesn't say why a WebSocket failed, so a plain request tells a missing node from a missing session. */
  private async comeBack(): Promise<void> {
    const pause = backoff(this.attempt, this.around.dice());
    this.attempt += 1;
    this.listener.line({ state: "waiting", retryAt: this.around.now() + pause });
    this.cancelTimer = this.around.after(pause, () => this.connect());
    const admission = await this.around.admission();
    if (admission === "refused" && !this.stopped && !this.opened) {
      this.stop();
      this.listener.line({ state: "refused" });
    }
  }
}

function parse(data: unknown): ServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === "object" && frame !== null ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}

/** The browser itself. */
export function browser(admission: () => Promise<Admission>): Surroundings {
  return {
    open: () => new WebSocket(`ws://${window.location.host}/api/socket`) as Socket,
    admission,
    now: () => Date.now(),
    dice: () => Math.random(),
    after: (milliseconds, run) => {
      const timer = window.setTimeout(run, milliseconds);
      return () => window.clearTimeout(timer);
    },
  };
}
