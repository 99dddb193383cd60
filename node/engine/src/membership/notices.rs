//! What the history says about the group itself. Notices are made here, on each device, from commits that took effect;
//! they are kept as contents of kinds that nobody can send.

use livechat_wire::codec::{Reader, Writer};
use livechat_wire::content::Body;
use livechat_wire::group::Role;
use livechat_wire::{AccountId, ConversationId, DecodeError, MessageId, limits as wire};

use crate::Engine;
use crate::errors::HandleError;
use crate::records::Message;
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::turn::Turn;
use crate::view::{self, MessageBody};

/// The kind under which notices are kept; from this one on, nothing is taken from the network.
pub(crate) const KIND: u16 = 0xff00;

/// What happened to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// We came in; the group is called this.
    Joined {
        title: String,
    },
    Added(Vec<AccountId>),
    Removed(Vec<AccountId>),
    Left(AccountId),
    Role(AccountId, Role),
    Title(String),
    /// The author's commit was refused by everyone.
    Refused,
    /// A change that we wanted was given up: somebody named here could not be added, say.
    NotDone(String),
    /// The order service signed two orders.
    Forked,
    /// The relay had another order: so many changes were taken back.
    Rewound(u32),
    /// Messages disappear after so many seconds from now on; 0: they stay.
    Timer(u32),
    /// The account has so many devices more.
    DevicesAdded(u32),
    /// It removed so many of its own.
    DevicesRemoved(u32),
    /// The author is called otherwise.
    Renamed {
        was: String,
        now: String,
    },
}

impl Notice {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        let accounts = |w: &mut Writer, list: &[AccountId]| {
            w.list(list, |w, a| {
                w.raw(&a.0);
            });
        };
        match self {
            Self::Joined { title } => {
                w.u8(1).bytes(title.as_bytes());
            }
            Self::Added(who) => accounts(w.u8(2), who),
            Self::Removed(who) => accounts(w.u8(3), who),
            Self::Left(who) => {
                w.u8(4).raw(&who.0);
            }
            Self::Role(who, role) => {
                w.u8(5).raw(&who.0).u8(*role as u8);
            }
            Self::Title(title) => {
                w.u8(6).bytes(title.as_bytes());
            }
            Self::Refused => {
                w.u8(7);
            }
            Self::NotDone(what) => {
                w.u8(8).bytes(what.as_bytes());
            }
            Self::Forked => {
                w.u8(9);
            }
            Self::Timer(seconds) => {
                w.u8(10).u32(*seconds);
            }
            Self::Rewound(changes) => {
                w.u8(11).u32(*changes);
            }
            Self::DevicesAdded(count) => {
                w.u8(12).u32(*count);
            }
            Self::DevicesRemoved(count) => {
                w.u8(13).u32(*count);
            }
            Self::Renamed { was, now } => {
                w.u8(14).bytes(was.as_bytes()).bytes(now.as_bytes());
            }
        }
        w.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let text = |r: &mut Reader<'_>| r.text(wire::TITLE, "text").map(str::to_owned);
        let accounts = |r: &mut Reader<'_>| r.list(usize::from(u16::MAX), "accounts", |r| r.array().map(AccountId));
        let it = match r.u8()? {
            1 => Self::Joined { title: text(&mut r)? },
            2 => Self::Added(accounts(&mut r)?),
            3 => Self::Removed(accounts(&mut r)?),
            4 => Self::Left(AccountId(r.array()?)),
            5 => Self::Role(
                AccountId(r.array()?),
                match r.u8()? {
                    0 => Role::Member,
                    1 => Role::Admin,
                    2 => Role::Owner,
                    _ => return Err(DecodeError::Unknown("role")),
                },
            ),
            6 => Self::Title(text(&mut r)?),
            7 => Self::Refused,
            8 => Self::NotDone(text(&mut r)?),
            9 => Self::Forked,
            10 => Self::Timer(r.u32()?),
            11 => Self::Rewound(r.u32()?),
            12 => Self::DevicesAdded(r.u32()?),
            13 => Self::DevicesRemoved(r.u32()?),
            14 => Self::Renamed { was: text(&mut r)?, now: text(&mut r)? },
            _ => return Err(DecodeError::Unknown("notice")),
        };
        r.end()?;
        Ok(it)
    }
}

impl Engine {
    /// Puts a notice at the end of a room's history; it is nobody's message, so nothing is owed for it.
    pub(crate) fn notice(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        author: AccountId,
        notice: &Notice,
    ) -> Result<(), HandleError> {
        let (id, at) = (MessageId(turn.draw()), self.home(at));
        let Some(conversation) = self.conversations.get_mut(&at) else { return Ok(()) };
        let position = conversation.next;
        conversation.next = position.saturating_add(1);
        conversation.last = Some(position);
        conversation.activity = turn.now;
        Table::Conversations.put(turn.kv, &at.0, conversation)?;
        let body = Body::Unknown { kind: KIND, data: notice.encode() };
        let parents = Vec::new();
        let (sent_at, received_at) = (turn.now, turn.now);
        let message = Message { id, author, sent_at, received_at, body, parents, own: None, gap: false };
        Table::Messages.put(turn.kv, &message_key(at, position), &message)?;
        Table::MessageIds.put(turn.kv, &key(&[&at.0, &id.0, &author.0]), &position)?;
        turn.added.push((at, position));
        turn.touched.insert(at);
        Ok(())
    }

    /// A notice as faces show it.
    pub(crate) fn notice_view(&self, data: &[u8]) -> MessageBody {
        let person = |a: &AccountId| view::Person { account: *a, username: self.name_of(a) };
        let people = |list: &[AccountId]| list.iter().map(person).collect();
        let Ok(notice) = Notice::decode(data) else { return MessageBody::NeedsNewerVersion { kind: KIND } };
        let notice = match notice {
            Notice::Joined { title } => view::Notice::Joined { title },
            Notice::Added(who) => view::Notice::Added { who: people(&who) },
            Notice::Removed(who) => view::Notice::Removed { who: people(&who) },
            Notice::Left(who) => view::Notice::Left { who: person(&who) },
            Notice::Role(who, role) => view::Notice::RoleChanged { who: person(&who), role: role.into() },
            Notice::Title(title) => view::Notice::TitleChanged { title },
            Notice::Refused => view::Notice::CommitRefused,
            Notice::NotDone(what) => view::Notice::NotDone { about: what },
            Notice::Forked => view::Notice::Forked,
            Notice::DevicesAdded(count) => view::Notice::DevicesAdded { count },
            Notice::DevicesRemoved(count) => view::Notice::DevicesRemoved { count },
            Notice::Renamed { was, now } => view::Notice::Renamed { was, now },
            Notice::Rewound(changes) => view::Notice::Rewound { changes },
            Notice::Timer(seconds) => return MessageBody::Timer { seconds },
        };
        MessageBody::Notice { notice }
    }
}
