// Written by a test of livechat-node from node/src/api; run it with LIVECHAT_WRITE=1 after a change there.

/**
 * A log-in of this account that is in force.
 */
export type AccountSession = { 
/**
 * Its name at the relay.
 */
id: string, 
/**
 * Whether it is the one that asks.
 */
current: boolean, 
/**
 * Whether this device signed its log-in.
 */
this_device: boolean, 
/**
 * Unix seconds.
 */
created_at: number, 
/**
 * Unix seconds.
 */
expires_at: number, };

/**
 * Where in its life the account on this node is.
 */
export type AccountState = { "state": "none" } | { "state": "pending", 
/**
 * What was shown, to show again.
 */
ticket: SignUpTicket, } | { "state": "linking", 
/**
 * What it shows.
 */
ticket: DeviceTicket, } | { "state": "logged_out", 
/**
 * Whose node this is.
 */
username: string, } | { "state": "locked", 
/**
 * Whose node this is.
 */
username: string, 
/**
 * Whether there is a passphrase.
 */
passphrase: boolean, 
/**
 * Whether the recovery phrase opens it: not a linked device, which never had the account's first key.
 */
phrase: boolean, } | { "state": "active", 
/**
 * Name.
 */
username: string, 
/**
 * Account id.
 */
account: string, 
/**
 * This device's id.
 */
device: string, 
/**
 * Unix seconds: when the code is asked again.
 */
session_expires_at: number, 
/**
 * Whether the relay has a session of this device; opened by phrase or passphrase it may have none.
 */
logged_in: boolean, 
/**
 * Whether the recovery phrase waits to be written down and checked.
 */
phrase_waits: boolean, 
/**
 * Whether this device was removed from the account: what is here can be read, nothing is sent or received.
 */
removed: boolean, };

/**
 * A backup was written.
 */
export type BackedUp = { 
/**
 * Where.
 */
path: string, 
/**
 * What opens it, if it was made for the occasion: it is kept nowhere else.
 */
secret: string | null, 
/**
 * Messages in it.
 */
messages: number, };

/**
 * Somebody we can write to.
 */
export type Contact = { 
/**
 * Their account, 64 hexadecimal digits.
 */
account: string, 
/**
 * Their name at the relay, as their signed account log says.
 */
username: string, 
/**
 * The direct chat with them.
 */
conversation: string, 
/**
 * Sixty digits in twelve groups of five, the same on both sides.
 */
safety_number: string, 
/**
 * How they want to be called, besides. Only what they say of themselves.
 */
display_name: string | null, 
/**
 * Whether their safety number was compared.
 */
verified: boolean, 
/**
 * Whether their name leads to another account than before: nothing is sent until that is accepted.
 */
new_keys: boolean, 
/**
 * Whether the direct chat with them was agreed to.
 */
standing: Standing, };

/**
 * A line of the conversation list.
 */
export type Conversation = { 
/**
 * Its id, 64 hexadecimal digits.
 */
id: string, 
/**
 * The contact's name, in a direct chat.
 */
title: string, 
/**
 * Whether it is a group of many.
 */
group: boolean, 
/**
 * The last message, if any.
 */
last: Message | null, 
/**
 * Messages of others after the read mark.
 */
unread: number, 
/**
 * How many of them call this account by `@name`; counted among the newest hundred.
 */
unread_mentions: number, 
/**
 * The position of the first of them: the line above which all is read.
 */
unread_from: number | null, 
/**
 * Whether it was agreed to, or is blocked.
 */
standing: Standing, 
/**
 * Whether the safety number of the contact was compared, in a direct chat.
 */
verified: boolean, 
/**
 * Whether the contact's name leads to another account than before: nothing is sent until that is accepted.
 */
new_keys: boolean, 
/**
 * What was begun to be written.
 */
draft: string | null, 
/**
 * Kept at the top.
 */
pinned: boolean, 
/**
 * Out of sight until something new comes.
 */
archived: boolean, 
/**
 * Unix milliseconds until which it doesn't disturb.
 */
muted_until: number | null, 
/**
 * Seconds after which new messages disappear.
 */
timer: number | null, 
/**
 * Names of those who are typing.
 */
typing: Array<string>, };

/**
 * How far an own message provably got. Each step is backed by a signature or a receipt from inside the conversation.
 */
export type Delivery = "queued" | "accepted" | "delivered" | "read";

/**
 * A device that speaks for this account, or did.
 */
export type Device = { 
/**
 * Its id, 64 hexadecimal digits.
 */
device: string, 
/**
 * Whether it is this one.
 */
this: boolean, 
/**
 * Unix seconds, as whoever added it says.
 */
added_at: number, 
/**
 * The device that added it; none: the identity key did, which the first device and the recovery phrase have.
 */
added_by: string | null, 
/**
 * Unix seconds, as whoever removed it says.
 */
removed_at: number | null, 
/**
 * The device that removed it; none: the identity key did, or nobody.
 */
removed_by: string | null, 
/**
 * Whether that is still to be put into force by the relay: its addition, or its removal.
 */
pending: boolean, };

/**
 * What a device shows that waits to be added. Nothing in it is secret.
 */
export type DeviceTicket = { 
/**
 * Whose device it wants to be.
 */
username: string, 
/**
 * To be entered on another device of the account: sixteen characters, in groups of four.
 */
code: string, 
/**
 * The same to be scanned.
 */
qr_svg: string, 
/**
 * Unix seconds until which it waits.
 */
expires_at: number, };

/**
 * A request that wasn't carried out.
 */
export type Error = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * What failed and why, for people.
 */
message: string, 
/**
 * What to do next, for people; may be empty.
 */
hint: string, 
/**
 * Seconds to wait, where waiting helps.
 */
retry_after: number | null, };

/**
 * Failures by who must act.
 */
export type ErrorCode = "bad_request" | "username_unavailable" | "invalid_credentials" | "pending_expired" | "wrong_state" | "not_found" | "too_many_requests" | "relay_unreachable" | "relay_failed" | "store_failed" | "bad_text" | "too_large" | "quota_exceeded" | "bad_file" | "not_this_device" | "untrusted" | "not_allowed" | "not_yours" | "blocked" | "wrong_phrase" | "locked" | "wrong_passphrase" | "vault_damaged" | "internal";

/**
 * What happened, by itself or because some client asked.
 */
export type Event = { "type": "status" } & Status | { "type": "message_added", 
/**
 * Where.
 */
conversation: string, 
/**
 * What.
 */
message: Message, } | { "type": "message_changed", 
/**
 * Where.
 */
conversation: string, 
/**
 * As it is now.
 */
message: Message, } | { "type": "message_removed", 
/**
 * Where.
 */
conversation: string, 
/**
 * Its id.
 */
id: string, 
/**
 * Where it stood.
 */
position: number, } | { "type": "typing", 
/**
 * Where.
 */
conversation: string, 
/**
 * Who.
 */
account: string, 
/**
 * Their name.
 */
name: string, 
/**
 * Which of the two.
 */
typing: boolean, } | { "type": "conversation_changed", 
/**
 * As it is now.
 */
conversation: Conversation, } | { "type": "group_changed", 
/**
 * As it is now.
 */
group: Group, } | { "type": "joining_changed", 
/**
 * As it is now.
 */
joining: Joining, } | { "type": "devices_changed", 
/**
 * All that are or were, oldest first.
 */
devices: Array<Device>, } | { "type": "transfer_changed", 
/**
 * As it is now.
 */
transfer: Transfer, } | { "type": "handover_changed", 
/**
 * As it is now.
 */
handover: Handover, } | { "type": "lagged" };

/**
 * What the relay keeps of this account's files, and what it would.
 */
export type FileSpace = { 
/**
 * Bytes in use.
 */
used: number, 
/**
 * Bytes that may be.
 */
quota: number, 
/**
 * Bytes of the largest file.
 */
largest: number, 
/**
 * Seconds that a file is kept.
 */
kept_seconds: number, };

/**
 * What a search found.
 */
export type Found = { 
/**
 * In the order asked for.
 */
hits: Array<Hit>, 
/**
 * Where the same question goes on; none when that was all.
 */
next: string | null, };

/**
 * What a group conversation has beside a direct one.
 */
export type Group = { 
/**
 * Which conversation.
 */
conversation: string, 
/**
 * What it is called.
 */
title: string, 
/**
 * Everyone in it, by name.
 */
members: Array<GroupMember>, 
/**
 * What we may do.
 */
own_role: Role, 
/**
 * Whether we are in it.
 */
standing: Membership, 
/**
 * Changes of ours that are not in force yet.
 */
pending: number, 
/**
 * … because the order service is away. Chatting goes on meanwhile.
 */
waiting: boolean, 
/**
 * Who puts changes in order at present.
 */
order: Order, 
/**
 * The order service showed two orders: members may see different groups. The evidence is kept.
 */
forked: boolean, 
/**
 * Changes that admins put in order while the relay was away, and that it may still take back.
 */
provisional: number, 
/**
 * Whether anybody with its link may join, and every member lets others in: a lobby.
 */
open: boolean, 
/**
 * The epoch of the group's keys.
 */
epoch: number, 
/**
 * The same for everyone who sees the same group, in hexadecimal digits.
 */
authenticator: string, };

/**
 * A link into a group: whoever has it may come in.
 */
export type GroupLink = { 
/**
 * Names it, 64 hexadecimal digits.
 */
door: string, 
/**
 * Its text, on the device that made it; no other knows it.
 */
link: string | null, 
/**
 * The same as a QR code: an SVG document, black on white with quiet zone.
 */
qr_svg: string | null, 
/**
 * Name of who made it.
 */
made_by: string, 
/**
 * Unix seconds from which on it is shut.
 */
expires_at: number | null, 
/**
 * How many may come in by it; none: any number.
 */
uses: number | null, 
/**
 * How many did; counted only while the number is bounded.
 */
used: number, 
/**
 * Whether it opens.
 */
state: LinkState, };

/**
 * Somebody in a group.
 */
export type GroupMember = { 
/**
 * Their account.
 */
account: string, 
/**
 * Their name at the relay, as the account log says that their device carries; a contact's as we know it.
 */
username: string, 
/**
 * What they may do.
 */
role: Role, 
/**
 * Whether it is us.
 */
own: boolean, };

/**
 * Contacts and history on their way to another device of this account, or from one to this.
 */
export type Handover = { 
/**
 * To which device; none: to this one.
 */
device: string | null, 
/**
 * Where it stands.
 */
step: HandoverStep, 
/**
 * Messages in it, so far as is known here.
 */
messages: number, 
/**
 * Bytes done of this step.
 */
done: number, 
/**
 * Bytes of this step; 0 while that isn't known.
 */
total: number, 
/**
 * How it goes.
 */
state: TransferState, };

/**
 * The steps of a handover, in this order.
 */
export type HandoverStep = "gathering" | "moving" | "restoring";

/**
 * A page of history, oldest first.
 */
export type HistoryPage = { 
/**
 * Its messages.
 */
messages: Array<Message>, 
/**
 * Whether there are older ones.
 */
more: boolean, 
/**
 * Whether there are newer ones.
 */
newer: boolean, };

/**
 * What there is to be given to another device.
 */
export type HistorySize = { 
/**
 * Messages that don't disappear by themselves.
 */
messages: number, 
/**
 * Bytes, contacts and all.
 */
bytes: number, };

/**
 * A message that was found.
 */
export type Hit = { 
/**
 * Where it is.
 */
conversation: string, 
/**
 * What the conversation is called.
 */
title: string, 
/**
 * Whether it is a group of many.
 */
group: boolean, 
/**
 * The message.
 */
message: Message, 
/**
 * The part of its text that shows why it was found.
 */
excerpt: Array<Piece>, };

/**
 * Why nobody opens.
 */
export type JoinRefusal = "revoked" | "expired" | "used_up" | "full" | "kept_out" | "not_allowed" | "untrusted";

/**
 * How it stands with somebody who knocked.
 */
export type JoinState = { "state": "waiting" } | { "state": "refused", 
/**
 * Why not.
 */
why: JoinRefusal, } | { "state": "joined", 
/**
 * The group.
 */
conversation: string, };

/**
 * We have a link and knocked.
 */
export type Joining = { 
/**
 * Names the door, 64 hexadecimal digits.
 */
door: string, 
/**
 * Names of those who may open; empty for a lobby, where everybody may.
 */
doorkeepers: Array<string>, 
/**
 * Unix milliseconds since when.
 */
since: number, 
/**
 * How it stands.
 */
state: JoinState, };

/**
 * Whether a link opens.
 */
export type LinkState = "pending" | "open" | "expired" | "used_up";

/**
 * Whether we are in a group.
 */
export type Membership = "joined" | "left" | "removed";

/**
 * A message as a bubble shows it.
 */
export type Message = { 
/**
 * Its id, 32 hexadecimal digits; the same on every device.
 */
id: string, 
/**
 * Where it stands in this device's history; grows, never reused. Pages are cut by it.
 */
position: number, 
/**
 * Who wrote it.
 */
author: string, 
/**
 * The author's name.
 */
author_name: string, 
/**
 * Whether this account wrote it.
 */
own: boolean, 
/**
 * Unix milliseconds by the author's clock.
 */
sent_at: number, 
/**
 * Unix milliseconds by this device's clock, when it came in or was queued.
 */
received_at: number, 
/**
 * What it says.
 */
body: MessageBody, 
/**
 * How far an own message got; `None` for others'.
 */
delivery: Delivery | null, 
/**
 * Messages that the author had seen before it and we haven't: something is missing above.
 */
gap: boolean, 
/**
 * What it answers.
 */
reply_to: Quote | null, 
/**
 * The words of somebody else, passed on.
 */
forwarded: boolean, 
/**
 * Unix milliseconds by the author's clock, when the text was last changed.
 */
edited_at: number | null, 
/**
 * What is under it, sorted by emoji.
 */
reactions: Array<Reaction>, 
/**
 * Seconds after which it disappears, counted from sending at the author, from reading at others.
 */
timer: number | null, 
/**
 * Unix milliseconds at which it disappears here, once that is known.
 */
expires_at: number | null, 
/**
 * Whether somebody else's text calls this account by `@name`.
 */
mentions_me: boolean, };

/**
 * What a message says.
 */
export type MessageBody = { "type": "text", 
/**
 * As written.
 */
text: string, } | { "type": "file", 
/**
 * What to call it: display text, never a path.
 */
name: string, 
/**
 * What the sender takes it for; a hint, never trusted.
 */
media: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * Unix seconds until which the relay keeps it.
 */
until: number, 
/**
 * A small JPEG in base64url, of images.
 */
preview: string | null, 
/**
 * It is a voice note.
 */
voice: Voice | null, 
/**
 * Whether its bytes are on this device.
 */
here: boolean, } | { "type": "notice", 
/**
 * What.
 */
notice: Notice, } | { "type": "deleted" } | { "type": "timer", 
/**
 * After so many seconds; 0: they stay.
 */
seconds: number, } | { "type": "needs_newer_version", 
/**
 * Its kind number.
 */
kind: number, };

/**
 * What happened to a group.
 */
export type Notice = { "what": "joined", 
/**
 * What it is called.
 */
title: string, } | { "what": "added", 
/**
 * Whom.
 */
who: Array<Person>, } | { "what": "removed", 
/**
 * Whom.
 */
who: Array<Person>, } | { "what": "left", 
/**
 * Who.
 */
who: Person, } | { "what": "role_changed", 
/**
 * Whose role.
 */
who: Person, 
/**
 * What it is now.
 */
role: Role, } | { "what": "title_changed", 
/**
 * What it is now.
 */
title: string, } | { "what": "commit_refused" } | { "what": "not_done", 
/**
 * In words: whom or what it was about.
 */
about: string, } | { "what": "forked" } | { "what": "rewound", 
/**
 * How many.
 */
changes: number, } | { "what": "devices_added", 
/**
 * How many more.
 */
count: number, } | { "what": "devices_removed", 
/**
 * How many.
 */
count: number, } | { "what": "renamed", 
/**
 * Until then.
 */
was: string, 
/**
 * From then on.
 */
now: string, };

/**
 * Who puts changes of a group in order at present (PROTOCOL ).
 */
export type Order = "relay" | "here" | "deputy" | "nobody";

/**
 * Somebody, by account and name.
 */
export type Person = { 
/**
 * Their account.
 */
account: string, 
/**
 * Their name.
 */
username: string, };

/**
 * A piece of an excerpt.
 */
export type Piece = { 
/**
 * As written.
 */
text: string, 
/**
 * Whether it is what was looked for.
 */
hit: boolean, };

/**
 * A message that another one answers, as it reads now.
 */
export type Quote = { 
/**
 * Its id, 32 hexadecimal digits.
 */
id: string, 
/**
 * Who wrote it.
 */
author: string, 
/**
 * The author's name.
 */
author_name: string, 
/**
 * Where it stands; none when it never came.
 */
position: number | null, 
/**
 * The beginning of its text; none when it is gone, or has none.
 */
text: string | null, };

/**
 * One emoji under a message.
 */
export type Reaction = { 
/**
 * Which.
 */
emoji: string, 
/**
 * Whether this account is among those who put it there.
 */
own: boolean, 
/**
 * Names of all who did.
 */
by: Array<string>, };

/**
 * Fresh recovery codes; the ones before are void.
 */
export type RecoveryCodes = { 
/**
 * Ten, each good for one log-in. Shown once.
 */
recovery_codes: Array<string>, };

/**
 * The words that give the account back.
 */
export type RecoveryPhrase = { 
/**
 * 24, in order.
 */
words: Array<string>, 
/**
 * The two places, counted from 1, whose words [`super::Request::ConfirmPhrase`] wants.
 */
ask: Array<number>, };

/**
 * Whether the relay answers.
 */
export type RelayState = { "state": "connecting" } | { "state": "online" } | { "state": "offline", 
/**
 * Why, for people.
 */
reason: string, 
/**
 * Unix milliseconds of the next try.
 */
retry_at: number, };

/**
 * Everything a face can ask of a node.
 */
export type Request = { "type": "status" } | { "type": "check_username", 
/**
 * As typed.
 */
username: string, } | { "type": "sign_up", 
/**
 * Wanted name.
 */
username: string, } | { "type": "confirm_sign_up", 
/**
 * Six digits; blanks are ignored.
 */
code: string, } | { "type": "cancel_sign_up" } | { "type": "link", 
/**
 * The account's name.
 */
username: string, 
/**
 * Six digits, or a recovery code.
 */
code: string, 
/**
 * The account's recovery phrase, 24 words, where no other device is at hand.
 */
phrase: string | null, } | { "type": "cancel_link" } | { "type": "devices" } | { "type": "add_device", 
/**
 * As shown, scanned or typed.
 */
code: string, 
/**
 * Give it contacts, names and history too, as [`Request::GiveHistory`] does, as soon as it is in.
 */
history: boolean, } | { "type": "give_history", 
/**
 * From [`Response::Devices`].
 */
device: string, } | { "type": "handovers" } | { "type": "cancel_handover", 
/**
 * To which device, as in [`Response::Handovers`]; none for what comes to this one.
 */
device: string | null, } | { "type": "history_size" } | { "type": "remove_device", 
/**
 * From [`Response::Devices`].
 */
device: string, } | { "type": "erase" } | { "type": "log_in", 
/**
 * Name.
 */
username: string, 
/**
 * Six digits, or a recovery code.
 */
code: string, } | { "type": "log_out" } | { "type": "lock" } | { "type": "unlock_by_phrase", 
/**
 * 24 words.
 */
phrase: string, } | { "type": "unlock_by_passphrase", 
/**
 * As typed.
 */
passphrase: string, } | { "type": "vault" } | { "type": "set_vault", 
/**
 * Whether a log-in keeps the device open until the session ends, restarts included.
 */
stay_unlocked: boolean, 
/**
 * Seconds without a request after which it locks; zero for never.
 */
lock_after: number, } | { "type": "set_passphrase", 
/**
 * At least eight characters.
 */
passphrase: string | null, } | { "type": "new_recovery_codes", 
/**
 * Six digits, or one of the old recovery codes.
 */
code: string, } | { "type": "add_authenticator", 
/**
 * Six digits of the first one, or a recovery code.
 */
code: string, } | { "type": "confirm_authenticator", 
/**
 * Six digits of the new one.
 */
code: string, } | { "type": "remove_authenticator", 
/**
 * Six digits of the one that stays.
 */
code: string, } | { "type": "phrase" } | { "type": "confirm_phrase", 
/**
 * The words at the places that [`Response::Phrase`] asks for, in that order.
 */
words: Array<string>, } | { "type": "check_phrase", 
/**
 * 24 words.
 */
phrase: string, } | { "type": "sessions" } | { "type": "end_session", 
/**
 * From [`Response::Sessions`].
 */
id: string, } | { "type": "change_username", 
/**
 * Wanted name.
 */
username: string, 
/**
 * Six digits, or a recovery code.
 */
code: string, } | { "type": "delete_account", 
/**
 * Six digits, or a recovery code.
 */
code: string, } | { "type": "add_contact", 
/**
 * Their name.
 */
username: string, } | { "type": "contacts" } | { "type": "conversations" } | { "type": "history", 
/**
 * Of which conversation.
 */
conversation: string, 
/**
 * Only messages before this position; none for the newest page.
 */
before: number | null, 
/**
 * How many, 1 ..= 200.
 */
limit: number, } | { "type": "history_at", 
/**
 * Of which conversation.
 */
conversation: string, 
/**
 * The position.
 */
position: number, 
/**
 * At most so many messages before it, 0 ..= 200.
 */
older: number, 
/**
 * At most so many from it on, 0 ..= 200.
 */
newer: number, } | { "type": "search", 
/**
 * Words, parts of words, or phrases in quotes, which all must be there, whatever their case and accents; and
 * `from:NAME`, `after:2026`, `after:2026-03`, `before:2026-03-01`, which narrow it down.
 */
query: string, 
/**
 * Only here.
 */
conversation: string | null, 
/**
 * What comes first.
 */
order: SearchOrder, 
/**
 * Where an earlier answer to the same question said it goes on.
 */
next: string | null, 
/**
 * How many, 1 ..= 100.
 */
limit: number, } | { "type": "backup", 
/**
 * Where: an absolute path at which nothing is yet.
 */
path: string, 
/**
 * What opens it again, at least 12 characters; one is made when there is none.
 */
secret: string | null, } | { "type": "restore", 
/**
 * The file.
 */
path: string, 
/**
 * What it was sealed with.
 */
secret: string, } | { "type": "send", 
/**
 * Where to.
 */
conversation: string, 
/**
 * What, 1 ..= 32,768 bytes.
 */
text: string, 
/**
 * Chosen by the client, 32 hexadecimal digits: sending twice under the same id is sending once.
 */
id: string | null, 
/**
 * The position of the message it answers, in the same conversation.
 */
reply_to: number | null, } | { "type": "file_space" } | { "type": "direct_files" } | { "type": "set_direct_files", 
/**
 * Whether they do.
 */
on: boolean, } | { "type": "send_file", 
/**
 * Where to.
 */
conversation: string, 
/**
 * From the root.
 */
path: string, 
/**
 * What to call it; none: as its path ends.
 */
name: string | null, 
/**
 * Of the message it becomes, as with [`Request::Send`].
 */
id: string | null, 
/**
 * Leaves images as they are, with place and time of the shot and whatever else is stored in them.
 */
as_is: boolean, } | { "type": "fetch_file", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, } | { "type": "save_file", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, 
/**
 * A folder, or a file that isn't there yet; from the root.
 */
to: string, } | { "type": "transfers" } | { "type": "cancel_transfer", 
/**
 * From [`Response::Transfers`].
 */
conversation: string, 
/**
 * From there too.
 */
message: string, } | { "type": "forward", 
/**
 * Where it is.
 */
from: string, 
/**
 * Which message.
 */
position: number, 
/**
 * Where to.
 */
to: string, 
/**
 * As with [`Request::Send`].
 */
id: string | null, } | { "type": "edit", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, 
/**
 * Its new text, 1 ..= 32,768 bytes.
 */
text: string, } | { "type": "revisions", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, } | { "type": "delete", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, 
/**
 * On everybody's devices, which is possible with own messages; else on this one only.
 */
for_everyone: boolean, } | { "type": "react", 
/**
 * Where.
 */
conversation: string, 
/**
 * Which message.
 */
position: number, 
/**
 * One emoji, 1 ..= 64 bytes without control characters; at most eight of one person under one message.
 */
emoji: string, 
/**
 * Put or take away.
 */
on: boolean, } | { "type": "set_timer", 
/**
 * Where.
 */
conversation: string, 
/**
 * After so many seconds, at most a year; 0: never.
 */
seconds: number, } | { "type": "typing", 
/**
 * Where.
 */
conversation: string, 
/**
 * Types, or stopped to; a message sent stops it by itself.
 */
typing: boolean, } | { "type": "set_draft", 
/**
 * Where.
 */
conversation: string, 
/**
 * At most 32,768 bytes; empty: nothing.
 */
text: string, } | { "type": "accept", 
/**
 * Which.
 */
conversation: string, } | { "type": "block", 
/**
 * Which.
 */
conversation: string, 
/**
 * No more, or again.
 */
blocked: boolean, } | { "type": "verify", 
/**
 * Whose.
 */
account: string, 
/**
 * Compared, or no longer.
 */
verified: boolean, } | { "type": "safety_code", 
/**
 * Whose.
 */
account: string, } | { "type": "check_code", 
/**
 * As scanned, pasted or typed.
 */
code: string, } | { "type": "pin", 
/**
 * Which.
 */
conversation: string, 
/**
 * At the top, or not.
 */
pinned: boolean, } | { "type": "mute", 
/**
 * Which.
 */
conversation: string, 
/**
 * Unix milliseconds; none: it may.
 */
until: number | null, } | { "type": "archive", 
/**
 * Which.
 */
conversation: string, 
/**
 * Out of sight, or back.
 */
archived: boolean, } | { "type": "profile" } | { "type": "set_profile", 
/**
 * One line of at most 128 bytes; empty: by the username alone.
 */
display_name: string, } | { "type": "mark_read", 
/**
 * Where.
 */
conversation: string, 
/**
 * Up to and including this position.
 */
position: number, } | { "type": "create_group", 
/**
 * What it is called, 1 ..= 128 bytes.
 */
title: string, 
/**
 * Names at our relay.
 */
members: Array<string>, } | { "type": "group", 
/**
 * Which.
 */
conversation: string, } | { "type": "invite", 
/**
 * Which group.
 */
conversation: string, 
/**
 * Their name at our relay.
 */
username: string, } | { "type": "remove_member", 
/**
 * Which group.
 */
conversation: string, 
/**
 * Whom.
 */
account: string, } | { "type": "set_role", 
/**
 * Which group.
 */
conversation: string, 
/**
 * Whose role.
 */
account: string, 
/**
 * What they may do from then on.
 */
role: Role, } | { "type": "set_title", 
/**
 * Which group.
 */
conversation: string, 
/**
 * What, 1 ..= 128 bytes.
 */
title: string, } | { "type": "make_link", 
/**
 * Which group.
 */
conversation: string, 
/**
 * Seconds from now until it is shut; none: it stays open.
 */
expires_in: number | null, 
/**
 * How many may come in by it, at least 1; none: any number.
 */
uses: number | null, } | { "type": "links", 
/**
 * Which group.
 */
conversation: string, } | { "type": "revoke_link", 
/**
 * Which group.
 */
conversation: string, 
/**
 * From [`Response::Links`].
 */
door: string, } | { "type": "join_link", 
/**
 * Its text.
 */
link: string, } | { "type": "lobby" } | { "type": "joinings" } | { "type": "cancel_join", 
/**
 * From [`Response::Joinings`].
 */
door: string, } | { "type": "leave_group", 
/**
 * Which group.
 */
conversation: string, };

/**
 * A request on the wire.
 */
export type RequestFrame = { 
/**
 * Chosen by the client; comes back in the answer.
 */
id: number, 
/**
 * What is asked.
 */
request: Request, };

/**
 * Answers.
 */
export type Response = { "type": "status" } & Status | { "type": "username" } & UsernameCheck | { "type": "sign_up" } & SignUpTicket | { "type": "signed_up" } & SignedUp | { "type": "linking" } & DeviceTicket | { "type": "devices", 
/**
 * Oldest first.
 */
devices: Array<Device>, } | { "type": "recovery_codes" } & RecoveryCodes | { "type": "authenticator" } & SignUpTicket | { "type": "phrase" } & RecoveryPhrase | { "type": "vault" } & VaultInfo | { "type": "sessions", 
/**
 * Newest first.
 */
sessions: Array<AccountSession>, } | { "type": "contact" } & Contact | { "type": "safety_code" } & SafetyCode | { "type": "contacts", 
/**
 * By name.
 */
contacts: Array<Contact>, } | { "type": "conversations", 
/**
 * Latest first.
 */
conversations: Array<Conversation>, } | { "type": "history" } & HistoryPage | { "type": "found" } & Found | { "type": "backed_up" } & BackedUp | { "type": "restored" } & Restored | { "type": "sent" } & Message | { "type": "file_space" } & FileSpace | { "type": "direct_files", 
/**
 * Whether they do.
 */
on: boolean, } | { "type": "transfer" } & Transfer | { "type": "handover" } & Handover | { "type": "handovers", 
/**
 * Under way, waiting or failed.
 */
handovers: Array<Handover>, } | { "type": "history_size" } & HistorySize | { "type": "transfers", 
/**
 * By conversation.
 */
transfers: Array<Transfer>, } | { "type": "saved", 
/**
 * Where the file is.
 */
path: string, } | { "type": "group_created", 
/**
 * Its conversation.
 */
conversation: string, } | { "type": "group" } & Group | { "type": "link" } & GroupLink | { "type": "links", 
/**
 * In no order that means anything.
 */
links: Array<GroupLink>, } | { "type": "joining" } & Joining | { "type": "joinings", 
/**
 * Latest first.
 */
joinings: Array<Joining>, } | { "type": "revisions", 
/**
 * The first text first; the last is what is shown. Empty when there is no such message, or no text any more.
 */
revisions: Array<Revision>, } | { "type": "profile", 
/**
 * Empty: by the username alone.
 */
display_name: string, } | { "type": "done" };

/**
 * A backup was given back.
 */
export type Restored = { 
/**
 * Contacts that were not known here.
 */
contacts: number, 
/**
 * Conversations.
 */
conversations: number, 
/**
 * Messages.
 */
messages: number, 
/**
 * Conversations left as they are, since something was said in them here already.
 */
left: number, };

/**
 * A text that a message had.
 */
export type Revision = { 
/**
 * Unix milliseconds by the author's clock.
 */
sent_at: number, 
/**
 * As written.
 */
text: string, };

/**
 * What somebody may do in a group.
 */
export type Role = "member" | "admin" | "owner";

/**
 * What a contact scans, or types.
 */
export type SafetyCode = { 
/**
 * For typing and pasting.
 */
code: string, 
/**
 * The same as a QR code: an SVG document, black on white with quiet zone.
 */
qr_svg: string, };

/**
 * What comes first in what was found.
 */
export type SearchOrder = "newest" | "best";

/**
 * What a client reads.
 */
export type ServerFrame = { 
/**
 * The request's.
 */
id: number, 
/**
 * The answer.
 */
ok: Response, } | { 
/**
 * The request's; none when the frame couldn't be read.
 */
id: number | null, 
/**
 * Why.
 */
error: Error, } | { 
/**
 * What.
 */
event: Event, };

/**
 * What to show next to "open your authenticator app".
 */
export type SignUpTicket = { 
/**
 * As it will be stored.
 */
username: string, 
/**
 * The whole otpauth URI.
 */
otpauth_uri: string, 
/**
 * Base32 for typing.
 */
setup_key: string, 
/**
 * The URI as a QR code: an SVG document, black on white with quiet zone.
 */
qr_svg: string, 
/**
 * Unix seconds.
 */
expires_at: number, };

/**
 * The account is there.
 */
export type SignedUp = { 
/**
 * Name.
 */
username: string, 
/**
 * Each good for one log-in without the authenticator. Shown once; empty in the rare case that the relay's
 * answer was lost on its way.
 */
recovery_codes: Array<string>, };

/**
 * Whether a conversation was agreed to.
 */
export type Standing = "request" | "accepted" | "blocked";

/**
 * How things stand.
 */
export type Status = { 
/**
 * Where in its life the account is.
 */
account: AccountState, 
/**
 * The relay's address as configured, e.g. `https://relay.example.org`.
 */
relay_url: string, 
/**
 * Whether the relay answers.
 */
relay: RelayState, 
/**
 * libp2p peers connected, the relay included.
 */
peers: number, 
/**
 * Own messages that no relay has accepted yet.
 */
queued: number, 
/**
 * People online at the relay; none while unknown.
 */
live_users: number | null, 
/**
 * This program's version.
 */
version: string, };

/**
 * A file on its way.
 */
export type Transfer = { 
/**
 * In which conversation.
 */
conversation: string, 
/**
 * The message that speaks of it, or will once it is at the relay. With the conversation it names the transfer.
 */
message: string, 
/**
 * To the relay, else from it.
 */
up: boolean, 
/**
 * What to call it: display text.
 */
name: string, 
/**
 * Bytes of the file.
 */
size: number, 
/**
 * Bytes that have gone over the line, of `total`.
 */
done: number, 
/**
 * Bytes that have to: more than the file has, since it is padded.
 */
total: number, 
/**
 * Whether it goes straight from one device to the other, at the moment.
 */
direct: boolean, 
/**
 * How it goes.
 */
state: TransferState, };

/**
 * How a transfer goes.
 */
export type TransferState = { "state": "waiting", 
/**
 * What, for people.
 */
reason: string, } | { "state": "running" } | { "state": "done" } | { "state": "cancelled" } | { "state": "failed", 
/**
 * Why, for people.
 */
message: string, 
/**
 * What to do next, for people; may be empty.
 */
hint: string, };

/**
 * A name, checked.
 */
export type UsernameCheck = { 
/**
 * As it would be stored.
 */
username: string, 
/**
 * Whether it can be had.
 */
available: boolean, 
/**
 * Why not.
 */
problem: string | null, 
/**
 * The same in words; empty when it can be had.
 */
message: string, };

/**
 * How this device's vault is kept.
 */
export type VaultInfo = { 
/**
 * Whether there is one: without, the key lies beside the store, and the next log-in changes that.
 */
guarded: boolean, 
/**
 * Whether a passphrase opens it, too.
 */
passphrase: boolean, 
/**
 * Whether the recovery phrase does: not on a linked device.
 */
phrase: boolean, 
/**
 * Whether a log-in keeps it open until the session ends, restarts included.
 */
stay_unlocked: boolean, 
/**
 * Seconds without a request after which it locks; zero for never.
 */
lock_after: number, };

/**
 * A voice note: what its sender says of it.
 */
export type Voice = { 
/**
 * How long it takes, in milliseconds; at most an hour.
 */
millis: number, 
/**
 * How loud it is along the way: 1 to 64 equal stretches, 0 … 255 each.
 */
levels: Array<number>, };
