//! What faces show: conversations, messages, contacts. Built in the engine so that web and prompt can't disagree.

use livechat_wire::{AccountId, ConversationId, DeviceId, MessageId};
use serde::{Deserialize, Serialize};

macro_rules! view {
    ($($item:item)*) => { $(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        $item
    )* };
}

view! {
    /// Somebody we can write to.
    pub struct Contact {
        /// Their account, 64 hexadecimal digits.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub account: AccountId,
        /// Their name at the relay, as their signed account log says.
        pub username: String,
        /// The direct chat with them.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub conversation: ConversationId,
        /// Sixty digits in twelve groups of five, the same on both sides.
        pub safety_number: String,
        /// How they want to be called, besides. Only what they say of themselves.
        pub display_name: Option<String>,
        /// Whether their safety number was compared.
        pub verified: bool,
        /// Whether their name leads to another account than before: nothing is sent until that is accepted.
        pub new_keys: bool,
        /// Whether the direct chat with them was agreed to.
        pub standing: Standing,
    }

    /// A line of the conversation list.
    pub struct Conversation {
        /// Its id, 64 hexadecimal digits.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub id: ConversationId,
        /// The contact's name, in a direct chat.
        pub title: String,
        /// Whether it is a group of many.
        pub group: bool,
        /// The last message, if any.
        pub last: Option<Message>,
        /// Messages of others after the read mark.
        pub unread: u32,
        /// How many of them call this account by `@name`; counted among the newest hundred.
        pub unread_mentions: u32,
        /// The position of the first of them: the line above which all is read.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub unread_from: Option<u64>,
        /// Whether it was agreed to, or is blocked.
        pub standing: Standing,
        /// Whether the safety number of the contact was compared, in a direct chat.
        pub verified: bool,
        /// Whether the contact's name leads to another account than before: nothing is sent until that is accepted.
        pub new_keys: bool,
        /// What was begun to be written.
        pub draft: Option<String>,
        /// Kept at the top.
        pub pinned: bool,
        /// Out of sight until something new comes.
        pub archived: bool,
        /// Unix milliseconds until which it doesn't disturb.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub muted_until: Option<u64>,
        /// Seconds after which new messages disappear.
        pub timer: Option<u32>,
        /// Names of those who are typing.
        pub typing: Vec<String>,
    }

    /// A message as a bubble shows it.
    pub struct Message {
        /// Its id, 32 hexadecimal digits; the same on every device.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub id: MessageId,
        /// Where it stands in this device's history; grows, never reused. Pages are cut by it.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub position: u64,
        /// Who wrote it.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub author: AccountId,
        /// The author's name.
        pub author_name: String,
        /// Whether this account wrote it.
        pub own: bool,
        /// Unix milliseconds by the author's clock.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub sent_at: u64,
        /// Unix milliseconds by this device's clock, when it came in or was queued.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub received_at: u64,
        /// What it says.
        pub body: MessageBody,
        /// How far an own message got; `None` for others'.
        pub delivery: Option<Delivery>,
        /// Messages that the author had seen before it and we haven't: something is missing above.
        pub gap: bool,
        /// What it answers.
        pub reply_to: Option<Quote>,
        /// The words of somebody else, passed on.
        pub forwarded: bool,
        /// Unix milliseconds by the author's clock, when the text was last changed.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub edited_at: Option<u64>,
        /// What is under it, sorted by emoji.
        pub reactions: Vec<Reaction>,
        /// Seconds after which it disappears, counted from sending at the author, from reading at others.
        pub timer: Option<u32>,
        /// Unix milliseconds at which it disappears here, once that is known.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub expires_at: Option<u64>,
        /// Whether somebody else's text calls this account by `@name`.
        pub mentions_me: bool,
    }

    /// A message that another one answers, as it reads now.
    pub struct Quote {
        /// Its id, 32 hexadecimal digits.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub id: MessageId,
        /// Who wrote it.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub author: AccountId,
        /// The author's name.
        pub author_name: String,
        /// Where it stands; none when it never came.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub position: Option<u64>,
        /// The beginning of its text; none when it is gone, or has none.
        pub text: Option<String>,
    }

    /// One emoji under a message.
    pub struct Reaction {
        /// Which.
        pub emoji: String,
        /// Whether this account is among those who put it there.
        pub own: bool,
        /// Names of all who did.
        pub by: Vec<String>,
    }

    /// A text that a message had.
    pub struct Revision {
        /// Unix milliseconds by the author's clock.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub sent_at: u64,
        /// As written.
        pub text: String,
    }

    /// Somebody, by account and name.
    pub struct Person {
        /// Their account.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub account: AccountId,
        /// Their name.
        pub username: String,
    }

    /// Somebody in a group.
    pub struct GroupMember {
        /// Their account.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub account: AccountId,
        /// Their name at the relay, as the account log says that their device carries; a contact's as we know it.
        pub username: String,
        /// What they may do.
        pub role: Role,
        /// Whether it is us.
        pub own: bool,
    }

    /// What a group conversation has beside a direct one.
    pub struct Group {
        /// Which conversation.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub conversation: ConversationId,
        /// What it is called.
        pub title: String,
        /// Everyone in it, by name.
        pub members: Vec<GroupMember>,
        /// What we may do.
        pub own_role: Role,
        /// Whether we are in it.
        pub standing: Membership,
        /// Changes of ours that are not in force yet.
        pub pending: u32,
        /// … because the order service is away. Chatting goes on meanwhile.
        pub waiting: bool,
        /// Who puts changes in order at present.
        pub order: Order,
        /// The order service showed two orders: members may see different groups. The evidence is kept.
        pub forked: bool,
        /// Changes that admins put in order while the relay was away, and that it may still take back.
        pub provisional: u32,
        /// Whether anybody with its link may join, and every member lets others in: a lobby.
        pub open: bool,
        /// The epoch of the group's keys.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub epoch: u64,
        /// The same for everyone who sees the same group, in hexadecimal digits.
        pub authenticator: String,
    }

    /// We have a link and knocked.
    pub struct Joining {
        /// Names the door, 64 hexadecimal digits.
        pub door: String,
        /// Names of those who may open; empty for a lobby, where everybody may.
        pub doorkeepers: Vec<String>,
        /// Unix milliseconds since when.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub since: u64,
        /// How it stands.
        pub state: JoinState,
    }

    /// A device that speaks for this account, or did.
    pub struct Device {
        /// Its id, 64 hexadecimal digits.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        pub device: DeviceId,
        /// Whether it is this one.
        pub this: bool,
        /// Unix seconds, as whoever added it says.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub added_at: u64,
        /// The device that added it; none: the identity key did, which the first device and the recovery phrase have.
        #[cfg_attr(feature = "ts", ts(type = "string | null"))]
        pub added_by: Option<DeviceId>,
        /// Unix seconds, as whoever removed it says.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub removed_at: Option<u64>,
        /// The device that removed it; none: the identity key did, or nobody.
        #[cfg_attr(feature = "ts", ts(type = "string | null"))]
        pub removed_by: Option<DeviceId>,
        /// Whether that is still to be put into force by the relay: its addition, or its removal.
        pub pending: bool,
    }

    /// A voice note: what its sender says of it.
    pub struct Voice {
        /// How long it takes, in milliseconds; at most an hour.
        pub millis: u32,
        /// How loud it is along the way: 1 to 64 equal stretches, 0 … 255 each.
        pub levels: Vec<u8>,
    }

    /// A page of history, oldest first.
    pub struct HistoryPage {
        /// Its messages.
        pub messages: Vec<Message>,
        /// Whether there are older ones.
        pub more: bool,
        /// Whether there are newer ones.
        pub newer: bool,
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum MessageBody {
    /// Text.
    Text {
        /// As written.
        text: String,
    },
    /// A file.
    File {
        /// What to call it: display text, never a path.
        name: String,
        /// What the sender takes it for; a hint, never trusted.
        media: String,
        /// Bytes.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        size: u64,
        /// Unix seconds until which the relay keeps it.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        until: u64,
        /// A small JPEG in base64url, of images.
        #[cfg_attr(feature = "ts", ts(type = "string | null"))]
        preview: Option<livechat_wire::http::Bytes>,
        /// It is a voice note.
        voice: Option<Voice>,
        /// Whether its bytes are on this device.
        here: bool,
    },
    /// Something that happened to the group; the author did it.
    Notice {
        /// What.
        notice: Notice,
    },
    /// The author withdrew it; nothing of it is left.
    Deleted,
    /// From here on messages disappear, or no more.
    Timer {
        /// After so many seconds; 0: they stay.
        seconds: u32,
    },
    /// Something this version can't show.
    NeedsNewerVersion {
        /// Its kind number.
        kind: u16,
    },
}

/// A link into a group, as the engine knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupLink {
    /// Names it, 64 hexadecimal digits.
    pub door: String,
    /// Its text, on the device that made it; no other knows it.
    pub link: Option<String>,
    /// Name of who made it.
    pub made_by: String,
    /// Unix seconds from which on it is shut.
    pub expires_at: Option<u64>,
    /// How many may come in by it; none: any number.
    pub uses: Option<u32>,
    /// How many did; counted only while the number is bounded.
    pub used: u32,
    /// Whether it opens.
    pub state: LinkState,
}

impl core::fmt::Debug for GroupLink {
    /// Prints all but the link, which lets people in.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GroupLink")
            .field("door", &self.door)
            .field("state", &self.state)
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

/// Whether a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum LinkState {
    /// Not yet: the order service has not put it in its place.
    Pending,
    /// It does.
    Open,
    /// Its time is over.
    Expired,
    /// As many came as it was for.
    UsedUp,
}

/// How it stands with somebody who knocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum JoinState {
    /// Nobody has opened yet; it is enough that one of those who may comes online.
    Waiting,
    /// Nobody will.
    Refused {
        /// Why not.
        why: JoinRefusal,
    },
    /// We are in.
    Joined {
        /// The group.
        #[cfg_attr(feature = "ts", ts(type = "string"))]
        conversation: ConversationId,
    },
}

/// Why nobody opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum JoinRefusal {
    /// The link was revoked, or never was one.
    Revoked,
    /// Its time is over.
    Expired,
    /// As many came as it was for.
    UsedUp,
    /// The group takes nobody more.
    Full,
    /// We were taken out before: somebody has to invite us.
    KeptOut,
    /// Those whom it names may not let anybody in.
    NotAllowed,
    /// The relay shows other people under the names in the link, or nobody: nothing was told to them.
    Untrusted,
}

impl core::fmt::Display for JoinRefusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Revoked => "the link was revoked",
            Self::Expired => "the link has expired",
            Self::UsedUp => "the link is used up",
            Self::Full => "the group is full",
            Self::KeptOut => "you were removed from this group: somebody in it has to invite you",
            Self::NotAllowed => "those who made the link may not let anybody in any more",
            Self::Untrusted => "the relay shows other people under the names in the link; nothing was told to them",
        })
    }
}

/// Whether a conversation was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Standing {
    /// Somebody else began it. They learn of nothing until it is accepted: no receipts, no typing.
    Request,
    /// Begun here, or accepted.
    Accepted,
    /// Nothing is shown, nothing is sent.
    Blocked,
}

/// What happened to a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Notice {
    /// We came in.
    Joined {
        /// What it is called.
        title: String,
    },
    /// The author added these.
    Added {
        /// Whom.
        who: Vec<Person>,
    },
    /// The author removed these.
    Removed {
        /// Whom.
        who: Vec<Person>,
    },
    /// Somebody left.
    Left {
        /// Who.
        who: Person,
    },
    /// The author changed what somebody may do.
    RoleChanged {
        /// Whose role.
        who: Person,
        /// What it is now.
        role: Role,
    },
    /// The author changed the title.
    TitleChanged {
        /// What it is now.
        title: String,
    },
    /// The author tried what they may not do; every member refused it.
    CommitRefused,
    /// A change that we wanted was given up.
    NotDone {
        /// In words: whom or what it was about.
        about: String,
    },
    /// The order service showed two orders.
    Forked,
    /// While the relay was away admins put changes in order; it had another order, and these were taken back.
    Rewound {
        /// How many.
        changes: u32,
    },
    /// The author's account has more devices than before.
    DevicesAdded {
        /// How many more.
        count: u32,
    },
    /// The author's account removed devices of its own.
    DevicesRemoved {
        /// How many.
        count: u32,
    },
    /// The author is called otherwise; account and safety number are what they were.
    Renamed {
        /// Until then.
        was: String,
        /// From then on.
        now: String,
    },
}

impl core::fmt::Display for Notice {
    /// In plain words, after the author's name.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = |who: &[Person]| who.iter().map(|p| p.username.as_str()).collect::<Vec<_>>().join(", ");
        match self {
            Self::Joined { title } => write!(f, "opened the group {title}"),
            Self::Added { who } => write!(f, "added {}", names(who)),
            Self::Removed { who } => write!(f, "removed {}", names(who)),
            Self::Left { who } => write!(f, "{} left", who.username),
            Self::RoleChanged { who, role } => {
                let role = match role {
                    Role::Member => "a member",
                    Role::Admin => "an admin",
                    Role::Owner => "an owner",
                };
                write!(f, "made {} {role}", who.username)
            }
            Self::TitleChanged { title } => write!(f, "called the group {title}"),
            Self::CommitRefused => f.write_str("tried to change the group without the right to; everybody refused"),
            Self::NotDone { about } => write!(f, "not done: {about}"),
            Self::Forked => f.write_str("the order service showed two orders: members may see different groups"),
            Self::DevicesAdded { count: 1 } => f.write_str("added a device"),
            Self::DevicesAdded { count } => write!(f, "added {count} devices"),
            Self::DevicesRemoved { count: 1 } => f.write_str("removed a device"),
            Self::DevicesRemoved { count } => write!(f, "removed {count} devices"),
            Self::Renamed { was, now } => write!(f, "was called {was} until now, and is called {now} from now on"),
            Self::Rewound { changes } => {
                write!(f, "the relay has another order: changes taken back: {changes}; what was said is said again")
            }
        }
    }
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Role {
    /// Talk and leave.
    Member,
    /// Also add and remove members, and change the title.
    Admin,
    /// Everything.
    Owner,
}

impl From<livechat_wire::group::Role> for Role {
    fn from(role: livechat_wire::group::Role) -> Self {
        match role {
            livechat_wire::group::Role::Member => Self::Member,
            livechat_wire::group::Role::Admin => Self::Admin,
            livechat_wire::group::Role::Owner => Self::Owner,
        }
    }
}

impl From<Role> for livechat_wire::group::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

/// Whether we are in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Membership {
    /// In it.
    Joined = 0,
    /// We left.
    Left = 1,
    /// Somebody removed us.
    Removed = 2,
}

/// Who puts changes of a group in order at present (PROTOCOL ).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Order {
    /// The relay.
    #[default]
    Relay,
    /// The relay is away; this device does it in its place: removals now, other changes after a day.
    Here,
    /// The relay is away, and some admin's device did it in its place.
    Deputy,
    /// The relay is away, and nobody seen here does it: changes wait.
    Nobody,
}

/// How far an own message provably got. Each step is backed by a signature or a receipt from inside the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Delivery {
    /// Safe on this device; not yet anywhere else.
    Queued,
    /// A relay signed that it keeps it; or another device of ours said it, which sees to that.
    Accepted,
    /// On a device of the recipient.
    Delivered,
    /// Seen by the recipient.
    Read,
}
