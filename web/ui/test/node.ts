// A node to test against: speaks the API's frames, keeps what it is told, and can be cut off.
import type {
  AccountSession,
  Conversation,
  Device,
  DeviceTicket,
  Event,
  FileSpace,
  Group,
  GroupLink,
  GroupMember,
  Handover,
  Joining,
  Message,
  Request,
  Response,
  Role,
  SignUpTicket,
  Status,
  Transfer,
  VaultInfo,
} from "../src/api";
import type { Socket, Surroundings } from "../src/net/connection";
import type { Admission } from "../src/net/session";

export const ALICE = "a1".repeat(32);
export const BOB = "b2".repeat(32);
export const CAROL = "c9".repeat(32);
export const CHAT = "c3".repeat(32);
export const ROOM = "d4".repeat(32);

export const TICKET: SignUpTicket = {
  username: "alice",
  otpauth_uri: "otpauth://totp/LiveChat:alice?secret=JBSWY3DPEHPK3PXP&issuer=LiveChat",
  setup_key: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
  qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1h7v7H1z"/></svg>',
  expires_at: 1_800_000_000,
};

export const WAITING: DeviceTicket = {
  username: "alice",
  code: "EMCB-NJZ7-UNGF-Z6Z5",
  qr_svg: TICKET.qr_svg,
  expires_at: 1_800_000_000,
};

export function device(id: string, change: Partial<Device> = {}): Device {
  return {
    device: id,
    this: id === ALICE,
    added_at: 1_795_000_000,
    added_by: null,
    removed_at: null,
    removed_by: null,
    pending: false,
    ...change,
  };
}

export const LINK: GroupLink = {
  door: "1".repeat(64),
  link: "livechat:join:aeaq",
  qr_svg: TICKET.qr_svg,
  made_by: "alice",
  expires_at: null,
  uses: null,
  used: 0,
  state: "open",
};

type Active = Extract<Status["account"], { state: "active" }>;

export const PHRASE = [..."abcdefghijklmnopqrstuvwx"].map((letter) => letter.repeat(5));

export function active(change: Partial<Active> = {}): Active {
  return {
    state: "active",
    username: "alice",
    account: ALICE,
    device: ALICE,
    session_expires_at: 2e9,
    logged_in: true,
    phrase_waits: false,
    removed: false,
    ...change,
  };
}

export function status(change: Partial<Status> = {}): Status {
  return {
    account: active(),
    relay_url: "https://relay.example",
    relay: { state: "online" },
    peers: 2,
    queued: 0,
    live_users: 7,
    version: "0.1.0",
    ...change,
  };
}

export function chat(change: Partial<Conversation> = {}): Conversation {
  return {
    id: CHAT,
    title: "bob",
    group: false,
    last: null,
    unread: 0,
    unread_mentions: 0,
    unread_from: null,
    standing: "accepted",
    verified: false,
    new_keys: false,
    draft: null,
    pinned: false,
    archived: false,
    muted_until: null,
    timer: null,
    typing: [],
    ...change,
  };
}

export function member(username: string, account: string, role: Role = "member"): GroupMember {
  return { username, account, role, own: account === ALICE };
}

/** The group of alice, bob and carol; alice made it. */
export function group(change: Partial<Group> = {}): Group {
  return {
    conversation: ROOM,
    title: "hikers",
    members: [member("alice", ALICE, "owner"), member("bob", BOB), member("carol", CAROL)],
    own_role: "owner",
    standing: "joined",
    pending: 0,
    waiting: false,
    forked: false,
    open: false,
    provisional: 0,
    order: "relay",
    epoch: 3,
    authenticator: "ab12".repeat(16),
    ...change,
  };
}

let lastPosition = 0;

export function message(text: string, change: Partial<Message> = {}): Message {
  lastPosition += 1;
  const own = change.own ?? false;
  return {
    id: lastPosition.toString(16).padStart(32, "0"),
    position: lastPosition,
    author: own ? ALICE : BOB,
    author_name: own ? "alice" : "bob",
    own,
    sent_at: Date.now(),
    received_at: Date.now(),
    body: { type: "text", text },
    delivery: own ? "queued" : null,
    gap: false,
    reply_to: null,
    forwarded: false,
    edited_at: null,
    reactions: [],
    timer: null,
    expires_at: null,
    mentions_me: false,
    ...change,
  };
}

export function transfer(change: Partial<Transfer> = {}): Transfer {
  return {
    conversation: CHAT,
    message: "e".repeat(32),
    up: true,
    name: "notes.pdf",
    size: 1_500,
    done: 0,
    total: 65_536,
    direct: false,
    state: { state: "running" },
    ...change,
  };
}

type Refusal = { code: string; message: string; hint: string; retry_after: number | null };
type Handler = (request: Request) => Response | Refusal | null;

/** One node and the line to it. */
export class TestNode {
  status = status();
  history: Message[] = [];
  links: GroupLink[] = [];
  joinings: Joining[] = [];
  sessions: AccountSession[] = [
    { id: "here", current: true, this_device: true, created_at: 1_795_000_000, expires_at: 1_795_864_000 },
    { id: "there", current: false, this_device: false, created_at: 1_794_000_000, expires_at: 1_794_864_000 },
  ];
  devices: Device[] = [device(ALICE)];
  handovers: Handover[] = [];
  conversations: Conversation[] = [chat()];
  groups: Group[] = [];
  vault: VaultInfo = { guarded: true, passphrase: false, phrase: true, stay_unlocked: true, lock_after: 0 };
  /** What alice set as her name beside the username. */
  displayName = "";
  /** Whether bob's safety number was compared. */
  verified = false;
  transfers: Transfer[] = [];
  /** Whether files go from device to device. */
  direct = false;
  /** What the relay says of room for files. */
  space: FileSpace = { used: 0, quota: 2 ** 31, largest: 2 ** 30, kept_seconds: 30 * 86_400 };
  admission: Admission = "admitted";
  /** Whether somebody answers at all. */
  up = true;
  /** Answers in place of the usual one; null leaves the request unanswered. */
  instead: Partial<Record<Request["type"], Handler>> = {};
  readonly asked: Request[] = [];
  readonly sockets: TestSocket[] = [];
  readonly timers: { at: number; run: () => void }[] = [];
  time = 1_000_000;

  get socket(): TestSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("nobody connected");
    return last;
  }

  surroundings(): Surroundings {
    return {
      open: () => {
        const socket = new TestSocket(this);
        this.sockets.push(socket);
        queueMicrotask(() => (this.up ? socket.onopen?.() : socket.onclose?.()));
        return socket;
      },
      admission: async () => (this.up ? this.admission : "unreachable"),
      now: () => this.time,
      dice: () => 0.5,
      after: (milliseconds, run) => {
        const timer = { at: this.time + milliseconds, run };
        this.timers.push(timer);
        return () => {
          const i = this.timers.indexOf(timer);
          if (i >= 0) this.timers.splice(i, 1);
        };
      },
    };
  }

  /** A handover begins, to a device or to this one. */
  gives(device: string | null, so: Partial<Handover> = {}): Handover {
    const moving = { step: "moving", messages: 1_234, done: 2 ** 20, total: 5 * 2 ** 20 } as const;
    const handover: Handover = { device, ...moving, state: { state: "running" }, ...so };
    this.handovers = [...this.handovers.filter((h) => h.device !== device), handover];
    this.tells({ type: "handover_changed", handover });
    return handover;
  }

  /** Lets time pass and everything happen that was due. */
  async passes(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    for (;;) {
      const due = this.timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.time = due.at;
      due.run();
      await settled();
    }
    this.time = until;
    await settled();
  }

  /** Kills the process. */
  async dies(): Promise<void> {
    this.up = false;
    this.socket.onclose?.();
    await settled();
  }

  tells(event: Event): void {
    this.socket.onmessage?.({ data: JSON.stringify({ event }) });
  }

  count(type: Request["type"]): number {
    return this.asked.filter((r) => r.type === type).length;
  }

  private at(position: number): Message {
    const there = this.history.find((m) => m.position === position);
    if (!there) throw new Error(`nothing at ${position}`);
    return there;
  }

  /** A message changes: every client is told, whoever asked for it. */
  private changed(position: number, change: Partial<Message>, quiet = false): Response {
    const now = { ...this.at(position), ...change };
    this.history = this.history.map((m) => (m.position === position ? now : m));
    this.tells({ type: "message_changed", conversation: CHAT, message: now });
    return quiet ? { type: "done" } : { type: "sent", ...now };
  }

  private becomes(change: Partial<Conversation>): Response {
    this.conversations = this.conversations.map((c) => (c.id === CHAT ? { ...c, ...change } : c));
    const now = this.conversations.find((c) => c.id === CHAT);
    if (now) this.tells({ type: "conversation_changed", conversation: now });
    return { type: "done" };
  }

  /** A group changes: every client is told. */
  groupBecomes(conversation: string, change: Partial<Group>): Response {
    this.groups = this.groups.map((g) => (g.conversation === conversation ? { ...g, ...change } : g));
    const now = this.groups.find((g) => g.conversation === conversation);
    if (now) this.tells({ type: "group_changed", group: now });
    return { type: "done" };
  }

  private isGroup(id: string): boolean {
    return this.groups.some((g) => g.conversation === id);
  }

  private members(conversation: string): GroupMember[] {
    return this.groups.find((g) => g.conversation === conversation)?.members ?? [];
  }

  answer(request: Request): Response | Refusal | null {
    const special = this.instead[request.type];
    if (special) return special(request);
    switch (request.type) {
      case "status":
        return { type: "status", ...this.status };
      case "check_username":
        return { type: "username", username: request.username, available: true, problem: null, message: "" };
      case "sign_up":
        this.status = status({ account: { state: "pending", ticket: TICKET } });
        return { type: "sign_up", ...TICKET };
      case "confirm_sign_up":
        this.status = status({ account: active({ phrase_waits: true }) });
        return { type: "signed_up", username: "alice", recovery_codes: ["aaaa-bbbb", "cccc-dddd"] };
      case "cancel_sign_up":
        this.status = status({ account: { state: "none" } });
        return { type: "done" };
      case "link":
        if (request.phrase) {
          this.status = status();
          return { type: "done" };
        }
        this.status = status({ account: { state: "linking", ticket: WAITING } });
        return { type: "linking", ...WAITING };
      case "cancel_link":
      case "erase":
        this.status = status({ account: { state: "none" } });
        return { type: "done" };
      case "direct_files":
        return { type: "direct_files", on: this.direct };
      case "set_direct_files":
        this.direct = request.on;
        return { type: "done" };
      case "devices":
        return { type: "devices", devices: this.devices };
      case "add_device":
        if (request.code.replaceAll("-", "") !== WAITING.code.replaceAll("-", "")) {
          return { code: "untrusted", message: "Another code.", hint: "Compare.", retry_after: null };
        }
        this.devices = [...this.devices, device(BOB, { added_by: ALICE })];
        this.tells({ type: "devices_changed", devices: this.devices });
        if (request.history) this.gives(BOB);
        return { type: "done" };
      case "history_size":
        return { type: "history_size", messages: 1_234, bytes: 5 * 2 ** 20 };
      case "give_history":
        return { type: "handover", ...this.gives(request.device) };
      case "handovers":
        return { type: "handovers", handovers: this.handovers };
      case "cancel_handover":
        this.handovers = this.handovers.filter((h) => h.device !== request.device);
        return { type: "done" };
      case "remove_device":
        this.devices = this.devices.map((d) =>
          d.device === request.device ? { ...d, removed_at: 1_795_000_060 } : d,
        );
        this.tells({ type: "devices_changed", devices: this.devices });
        return { type: "done" };
      case "log_in":
        this.status = status();
        return { type: "done" };
      case "log_out":
        this.status = status({ account: { state: "logged_out", username: "alice" } });
        return { type: "done" };
      case "new_recovery_codes":
        return { type: "recovery_codes", recovery_codes: ["eeee-ffff", "gggg-hhhh"] };
      case "lock":
        this.status = status({
          account: {
            state: "locked",
            username: "alice",
            passphrase: this.vault.passphrase,
            phrase: this.vault.phrase,
          },
        });
        return { type: "done" };
      case "unlock_by_phrase":
        if (request.phrase !== PHRASE.join(" ")) {
          return { code: "wrong_phrase", message: "That isn't it.", hint: "", retry_after: null };
        }
        this.status = status();
        return { type: "done" };
      case "unlock_by_passphrase":
        if (request.passphrase !== "correct horse") {
          return { code: "wrong_passphrase", message: "That isn't it.", hint: "", retry_after: null };
        }
        this.status = status();
        return { type: "done" };
      case "vault":
        return { type: "vault", ...this.vault };
      case "set_vault": {
        const { stay_unlocked, lock_after } = request;
        this.vault = { ...this.vault, stay_unlocked, lock_after };
        return { type: "done" };
      }
      case "set_passphrase":
        this.vault = { ...this.vault, passphrase: request.passphrase !== null };
        return { type: "done" };
      case "phrase":
        return { type: "phrase", words: PHRASE, ask: [2, 24] };
      case "confirm_phrase":
        if (request.words.join() !== `${PHRASE[1]},${PHRASE[23]}`) {
          return {
            code: "wrong_phrase",
            message: "Those aren't words 2 and 24.",
            hint: "",
            retry_after: null,
          };
        }
        this.status = status();
        return { type: "done" };
      case "check_phrase":
        if (request.phrase === PHRASE.join(" ")) return { type: "done" };
        return { code: "wrong_phrase", message: "That isn't it.", hint: "", retry_after: null };
      case "add_authenticator":
        return { type: "authenticator", ...TICKET };
      case "confirm_authenticator":
      case "remove_authenticator":
        return { type: "done" };
      case "sessions":
        return { type: "sessions", sessions: this.sessions };
      case "end_session":
        this.sessions = this.sessions.filter((s) => s.id !== request.id);
        return { type: "done" };
      case "change_username":
        if (request.username === "bob") {
          return {
            code: "username_unavailable",
            message: "Somebody has this name.",
            hint: "Choose another.",
            retry_after: null,
          };
        }
        this.status = status({ account: active({ username: request.username }) });
        return { type: "done" };
      case "delete_account":
        this.status = status({ account: { state: "none" } });
        return { type: "done" };
      case "contacts":
        return {
          type: "contacts",
          contacts: this.conversations
            .filter(({ id }) => !this.isGroup(id))
            .map((c) => ({
              account: BOB,
              username: c.title,
              conversation: c.id,
              safety_number: "12345 ".repeat(12).trim(),
              display_name: null,
              verified: this.verified,
              new_keys: c.new_keys,
              standing: c.standing,
            })),
        };
      case "conversations":
        return { type: "conversations", conversations: this.conversations };
      case "add_contact":
        return { code: "not_found", message: "Nobody has that name.", hint: "", retry_after: null };
      case "history": {
        const older = this.history.filter((m) => request.before === null || m.position < request.before);
        const messages = older.slice(-request.limit);
        const newer = older.length < this.history.length;
        return { type: "history", messages, more: older.length > messages.length, newer };
      }
      case "history_at": {
        const { position, older, newer } = request;
        const above = this.history.filter((m) => m.position < position);
        const below = this.history.filter((m) => m.position >= position);
        const messages = [...above.slice(Math.max(0, above.length - older)), ...below.slice(0, newer)];
        return { type: "history", messages, more: above.length > older, newer: below.length > newer };
      }
      case "search": {
        const has = (m: Message) => m.body.type === "text" && m.body.text.includes(request.query);
        const hits = this.history.filter(has).map((m) => {
          const text = m.body.type === "text" ? m.body.text : "";
          const [before = "", ...rest] = text.split(request.query);
          const pieces = [
            { text: before, hit: false },
            { text: request.query, hit: true },
            { text: rest.join(request.query), hit: false },
          ];
          const excerpt = pieces.filter((p) => p.text);
          return { conversation: CHAT, title: "bob", group: false, message: m, excerpt };
        });
        const from = Number(request.next ?? 0);
        const to = from + request.limit;
        const next = to < hits.length ? `${to}` : null;
        return { type: "found", hits: hits.slice(from, to), next };
      }
      case "transfers":
        return { type: "transfers", transfers: this.transfers };
      case "fetch_file": {
        const { id, body } = this.at(request.position);
        const size = body.type === "file" ? body.size : 0;
        return { type: "transfer", ...transfer({ message: id, up: false, size }) };
      }
      case "cancel_transfer":
        return { type: "done" };
      case "send": {
        const there = this.history.find((m) => m.id === request.id);
        const sent = there ?? message(request.text, { own: true, id: request.id ?? "" });
        if (!there) this.history.push(sent);
        return { type: "sent", ...sent };
      }
      case "edit":
        return this.changed(request.position, {
          body: { type: "text", text: request.text },
          edited_at: Date.now(),
        });
      case "react": {
        const reaction = { emoji: request.emoji, own: true, by: ["alice"] };
        return this.changed(request.position, { reactions: request.on ? [reaction] : [] });
      }
      case "forward":
        return { type: "sent", ...message("forwarded", { own: true, forwarded: true }) };
      case "revisions":
        return {
          type: "revisions",
          revisions: ["first", "second"].map((text, i) => ({ sent_at: 1e12 + i * 60_000, text })),
        };
      case "delete": {
        const there = this.at(request.position);
        if (request.for_everyone) return this.changed(request.position, { body: { type: "deleted" } }, true);
        this.history = this.history.filter((m) => m !== there);
        this.tells({
          type: "message_removed",
          conversation: CHAT,
          id: there.id,
          position: request.position,
        });
        return { type: "done" };
      }
      case "pin":
        return this.becomes({ pinned: request.pinned });
      case "archive":
        return this.becomes({ archived: request.archived });
      case "mute":
        return this.becomes({ muted_until: request.until });
      case "accept":
        return this.becomes({ standing: "accepted", new_keys: false });
      case "block":
        return this.becomes({ standing: request.blocked ? "blocked" : "accepted" });
      case "set_timer":
        return this.becomes({ timer: request.seconds || null });
      case "profile":
        return { type: "profile", display_name: this.displayName };
      case "set_profile":
        this.displayName = request.display_name;
        return { type: "done" };
      case "create_group": {
        const { title } = request;
        this.conversations = [chat({ id: ROOM, title, group: true }), ...this.conversations];
        const members = [member("alice", ALICE, "owner")];
        this.groups = [...this.groups, group({ title, members, pending: request.members.length })];
        return { type: "group_created", conversation: ROOM };
      }
      case "group": {
        const found = this.groups.find((g) => g.conversation === request.conversation);
        if (found) return { type: "group", ...found };
        return { code: "not_found", message: "That is no group.", hint: "", retry_after: null };
      }
      case "invite":
        return this.groupBecomes(request.conversation, {
          members: [...this.members(request.conversation), member(request.username, "e5".repeat(32))],
        });
      case "remove_member":
        return this.groupBecomes(request.conversation, {
          members: this.members(request.conversation).filter((m) => m.account !== request.account),
        });
      case "set_role":
        return this.groupBecomes(request.conversation, {
          members: this.members(request.conversation).map((m) =>
            m.account === request.account ? { ...m, role: request.role } : m,
          ),
          ...(request.account === ALICE && { own_role: request.role }),
        });
      case "make_link": {
        const { expires_in, uses } = request;
        const expires_at = expires_in === null ? null : 1_900_000_000;
        const door = `${this.links.length + 1}`.repeat(64);
        const link = { ...LINK, door, expires_at, uses };
        this.links = [...this.links, link];
        return { type: "link", ...link };
      }
      case "links":
        return { type: "links", links: this.links };
      case "revoke_link":
        this.links = this.links.filter((l) => l.door !== request.door);
        return { type: "done" };
      case "join_link": {
        const joining = {
          door: "7".repeat(64),
          doorkeepers: ["bob"],
          since: 1,
          state: { state: "waiting" },
        } as const;
        this.joinings = [{ ...joining, doorkeepers: ["bob"] }];
        return { type: "joining", ...joining, doorkeepers: ["bob"] };
      }
      case "lobby": {
        this.conversations = [chat({ id: ROOM, title: "Lobby", group: true }), ...this.conversations];
        this.groups = [...this.groups, group({ title: "Lobby", open: true })];
        const state = { state: "joined", conversation: ROOM } as const;
        return { type: "joining", door: "8".repeat(64), doorkeepers: [], since: 1, state };
      }
      case "joinings":
        return { type: "joinings", joinings: this.joinings };
      case "cancel_join":
        this.joinings = this.joinings.filter((j) => j.door !== request.door);
        return { type: "done" };
      case "set_title":
        return this.groupBecomes(request.conversation, { title: request.title });
      case "leave_group":
        return this.groupBecomes(request.conversation, { standing: "left" });
      case "file_space":
        return { type: "file_space", ...this.space };
      case "backup":
      case "restore":
      case "send_file":
      case "save_file":
        return { code: "bad_request", message: "A page can't name a file.", hint: "", retry_after: null };
      case "verify":
        this.verified = request.verified;
        return this.becomes({ verified: request.verified, ...(request.verified && { new_keys: false }) });
      case "safety_code":
        return { type: "safety_code", code: "LIVECHAT-VERIFY:OWN", qr_svg: "<svg/>" };
      case "check_code": {
        const differs = {
          code: "untrusted",
          message: "That isn't what is seen here.",
          hint: "",
          retry_after: null,
        };
        if (request.code !== "LIVECHAT-VERIFY:BOB") return differs;
        this.verified = true;
        this.becomes({ verified: true, new_keys: false });
        return {
          type: "contact",
          account: BOB,
          username: "bob",
          conversation: CHAT,
          safety_number: "",
          display_name: null,
          verified: true,
          new_keys: false,
          standing: "accepted",
        };
      }
      case "typing":
      case "set_draft":
      case "mark_read":
        return { type: "done" };
    }
  }
}

export class TestSocket implements Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  closed = false;
  private readonly node: TestNode;

  constructor(node: TestNode) {
    this.node = node;
  }

  send(text: string): void {
    if (!this.node.up) return;
    const { id, request } = JSON.parse(text) as { id: number; request: Request };
    this.node.asked.push(request);
    const answer = this.node.answer(request);
    if (!answer) return;
    const frame = "type" in answer ? { id, ok: answer } : { id, error: answer };
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(frame) }));
  }

  close(): void {
    this.closed = true;
  }
}

/** Everything that was about to happen has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 30; i += 1) await Promise.resolve();
}
