//! The frames: every kind survives the wire, and no secret survives `Debug`.

use super::*;

const C: ConversationId = ConversationId([1; 32]);

fn message() -> Message {
    Message {
        id: MessageId([2; 16]),
        position: u64::from(u32::MAX) + 7,
        author: AccountId([3; 32]),
        author_name: "alice".into(),
        own: true,
        sent_at: 1,
        received_at: 2,
        body: MessageBody::Text { text: "canary \u{1b}[2J\n\"ä\"".into() },
        delivery: Some(Delivery::Read),
        gap: false,
        reply_to: Some(Quote {
            id: MessageId([6; 16]),
            author: AccountId([3; 32]),
            author_name: "b".into(),
            position: None,
            text: None,
        }),
        forwarded: true,
        edited_at: Some(4),
        reactions: vec![Reaction { emoji: "👍".into(), own: false, by: vec!["b".into()] }],
        timer: Some(60),
        expires_at: Some(5),
        mentions_me: false,
    }
}

fn group() -> Group {
    let account = AccountId([3; 32]);
    Group {
        conversation: C,
        title: "g".into(),
        members: vec![GroupMember { account, username: "alice".into(), role: Role::Owner, own: true }],
        own_role: Role::Owner,
        standing: Membership::Joined,
        pending: 1,
        waiting: true,
        forked: false,
        open: true,
        provisional: 1,
        order: Order::Here,
        epoch: 2,
        authenticator: "00".into(),
    }
}

fn found() -> Found {
    let piece = |text: &str, hit| Piece { text: text.into(), hit };
    let excerpt = vec![piece("…a ", false), piece("word", true)];
    let hit = Hit { conversation: C, title: "b".into(), group: true, message: message(), excerpt };
    Found { hits: vec![hit], next: Some("1".into()) }
}

fn link() -> GroupLink {
    GroupLink {
        door: "d".into(),
        link: Some("canary".into()),
        qr_svg: Some("<svg>canary</svg>".into()),
        made_by: "alice".into(),
        expires_at: Some(9),
        uses: Some(5),
        used: 1,
        state: LinkState::Open,
    }
}

fn joining(state: JoinState) -> Joining {
    Joining { door: "d".into(), doorkeepers: vec!["alice".into()], since: 1, state }
}

fn ticket() -> SignUpTicket {
    SignUpTicket {
        username: "alice".into(),
        otpauth_uri: "otpauth://canary".into(),
        setup_key: "canary".into(),
        qr_svg: "<svg>canary</svg>".into(),
        expires_at: 3,
    }
}

fn status(account: AccountState, relay: RelayState) -> Status {
    let (relay_url, version) = ("https://relay.example".into(), "0.1.0".into());
    Status { account, relay_url, relay, peers: 1, queued: 2, live_users: None, version }
}

fn requests() -> Vec<Request> {
    let name = || "alice".to_owned();
    vec![
        Request::Status,
        Request::CheckUsername { username: name() },
        Request::SignUp { username: name() },
        Request::ConfirmSignUp { code: "canary".into() },
        Request::CancelSignUp,
        Request::LogIn { username: name(), code: "canary".into() },
        Request::Lock,
        Request::UnlockByPhrase { phrase: "canary".into() },
        Request::UnlockByPassphrase { passphrase: "canary".into() },
        Request::Vault,
        Request::SetVault { stay_unlocked: true, lock_after: 60 },
        Request::SetPassphrase { passphrase: Some("canary".into()) },
        Request::Phrase,
        Request::ConfirmPhrase { words: vec!["canary".into()] },
        Request::CheckPhrase { phrase: "canary".into() },
        Request::LogOut,
        Request::AddContact { username: name() },
        Request::Contacts,
        Request::Conversations,
        Request::History { conversation: C, before: Some(9), limit: 200 },
        Request::History { conversation: C, before: None, limit: 1 },
        Request::HistoryAt { conversation: C, position: 9, older: 0, newer: 200 },
        Request::Backup { path: "/f".into(), secret: Some("canary".into()) },
        Request::Restore { path: "/f".into(), secret: "canary".into() },
        Request::Search {
            query: "canary".into(),
            conversation: Some(C),
            order: SearchOrder::Best,
            next: Some("canary".into()),
            limit: 3,
        },
        Request::Send { conversation: C, text: "canary".into(), id: Some(MessageId([4; 16])), reply_to: Some(3) },
        Request::Send { conversation: C, text: "canary".into(), id: None, reply_to: None },
        Request::FileSpace,
        Request::SendFile {
            conversation: C,
            path: "/canary".into(),
            name: Some("canary".into()),
            id: None,
            as_is: true,
        },
        Request::FetchFile { conversation: C, position: 1 },
        Request::SaveFile { conversation: C, position: 1, to: "/canary".into() },
        Request::Transfers,
        Request::CancelTransfer { conversation: C, message: MessageId([4; 16]) },
        Request::Forward { from: C, position: 1, to: C, id: None },
        Request::Edit { conversation: C, position: 1, text: "canary".into() },
        Request::Revisions { conversation: C, position: 1 },
        Request::Delete { conversation: C, position: 1, for_everyone: true },
        Request::React { conversation: C, position: 1, emoji: "canary".into(), on: true },
        Request::SetTimer { conversation: C, seconds: 60 },
        Request::Typing { conversation: C, typing: true },
        Request::SetDraft { conversation: C, text: "canary".into() },
        Request::Accept { conversation: C },
        Request::Block { conversation: C, blocked: true },
        Request::SafetyCode { account: AccountId([3; 32]) },
        Request::CheckCode { code: "canary".into() },
        Request::Verify { account: AccountId([3; 32]), verified: true },
        Request::Pin { conversation: C, pinned: true },
        Request::Mute { conversation: C, until: Some(1) },
        Request::Archive { conversation: C, archived: true },
        Request::Profile,
        Request::SetProfile { display_name: "canary".into() },
        Request::MarkRead { conversation: C, position: 5 },
        Request::CreateGroup { title: "canary".into(), members: vec![name()] },
        Request::Group { conversation: C },
        Request::Invite { conversation: C, username: name() },
        Request::RemoveMember { conversation: C, account: AccountId([3; 32]) },
        Request::SetRole { conversation: C, account: AccountId([3; 32]), role: Role::Admin },
        Request::SetTitle { conversation: C, title: "canary".into() },
        Request::LeaveGroup { conversation: C },
        Request::MakeLink { conversation: C, expires_in: Some(60), uses: None },
        Request::Links { conversation: C },
        Request::RevokeLink { conversation: C, door: "d".into() },
        Request::JoinLink { link: "canary".into() },
        Request::Joinings,
        Request::Lobby,
        Request::CancelJoin { door: "d".into() },
    ]
}

fn phrase() -> RecoveryPhrase {
    RecoveryPhrase { words: vec!["canary".into(); 24], ask: vec![1, 2] }
}

fn server_frames() -> Vec<ServerFrame> {
    let active = AccountState::Active {
        username: "alice".into(),
        account: AccountId([3; 32]),
        device: DeviceId([5; 32]),
        session_expires_at: 6,
        logged_in: true,
        phrase_waits: false,
        removed: false,
    };
    let locked = AccountState::Locked { username: "alice".into(), passphrase: true, phrase: false };
    let contact = Contact {
        account: AccountId([3; 32]),
        username: "b".into(),
        conversation: C,
        safety_number: "1".into(),
        display_name: Some("B".into()),
        verified: true,
        new_keys: false,
        standing: Standing::Request,
    };
    let conversation = Conversation {
        id: C,
        title: "b".into(),
        group: true,
        last: Some(message()),
        unread: 1,
        unread_from: Some(2),
        standing: Standing::Accepted,
        verified: true,
        new_keys: true,
        draft: Some("d".into()),
        pinned: true,
        archived: false,
        muted_until: Some(3),
        timer: Some(60),
        typing: vec!["b".into()],
    };
    let deleted = Message { body: MessageBody::Deleted, ..message() };
    let file = MessageBody::File {
        name: "f".into(),
        media: "a/b".into(),
        size: 1,
        until: 2,
        preview: Some(livechat_wire::http::Bytes(vec![1, 2])),
        voice: Some(Voice { millis: 3, levels: vec![4, 5] }),
        here: true,
    };
    let file = Message { body: file, ..message() };
    let transfer = |state| Transfer {
        conversation: C,
        message: MessageId([2; 16]),
        up: true,
        name: "f".into(),
        size: 1,
        done: 2,
        total: 3,
        state,
    };
    let failed = TransferState::Failed { message: "m".into(), hint: "h".into() };
    let waiting = TransferState::Waiting { reason: "r".into() };
    let timer = Message { body: MessageBody::Timer { seconds: 0 }, ..message() };
    let check = UsernameCheck {
        username: "a".into(),
        available: false,
        problem: Some(UsernameProblem::TooShort),
        message: "no".into(),
    };
    let error = Error { retry_after: Some(3), ..Error::new(ErrorCode::TooManyRequests, "wait", "then go") };
    let offline = RelayState::Offline { reason: "r".into(), retry_at: 1 };
    let oks = [
        Response::Status(status(AccountState::None, RelayState::Connecting)),
        Response::Status(status(AccountState::Pending { ticket: ticket() }, RelayState::Online)),
        Response::Status(status(active, offline.clone())),
        Response::Username(check),
        Response::SignUp(ticket()),
        Response::SignedUp(SignedUp { username: "alice".into(), recovery_codes: vec!["canary".into()] }),
        Response::Phrase(phrase()),
        Response::Vault(VaultInfo {
            guarded: true,
            passphrase: false,
            phrase: true,
            stay_unlocked: true,
            lock_after: 0,
        }),
        Response::Status(status(locked, RelayState::Connecting)),
        Response::Contact(contact.clone()),
        Response::Contacts { contacts: vec![contact] },
        Response::Conversations { conversations: vec![conversation.clone()] },
        Response::History(HistoryPage { messages: vec![message(), deleted, timer, file], more: true, newer: true }),
        Response::SafetyCode(SafetyCode { code: "c".into(), qr_svg: "<svg/>".into() }),
        Response::Found(found()),
        Response::BackedUp(BackedUp { path: "/f".into(), secret: Some("s".into()), messages: 1 }),
        Response::Restored(Restored { contacts: 1, conversations: 2, messages: 3, left: 4 }),
        Response::Sent(message()),
        Response::FileSpace(FileSpace { used: 1, quota: 2, largest: 3, kept_seconds: 4 }),
        Response::Transfer(transfer(TransferState::Running)),
        Response::Transfers { transfers: vec![transfer(failed), transfer(TransferState::Done)] },
        Response::Saved { path: "/x".into() },
        Response::GroupCreated { conversation: C },
        Response::Group(group()),
        Response::Link(link()),
        Response::Links { links: vec![link()] },
        Response::Joining(joining(JoinState::Waiting)),
        Response::Joinings { joinings: vec![joining(JoinState::Refused { why: JoinRefusal::UsedUp })] },
        Response::Revisions { revisions: vec![Revision { sent_at: 1, text: "t".into() }] },
        Response::Profile { display_name: "A".into() },
        Response::Done,
    ];
    let events = [
        Event::Status(status(AccountState::LoggedOut { username: "alice".into() }, offline)),
        Event::MessageAdded { conversation: C, message: message() },
        Event::MessageChanged { conversation: C, message: message() },
        Event::MessageRemoved { conversation: C, id: MessageId([2; 16]), position: 1 },
        Event::Typing { conversation: C, account: AccountId([3; 32]), name: "b".into(), typing: true },
        Event::ConversationChanged { conversation },
        Event::GroupChanged { group: group() },
        Event::JoiningChanged { joining: joining(JoinState::Joined { conversation: C }) },
        Event::TransferChanged { transfer: transfer(waiting) },
        Event::TransferChanged { transfer: transfer(TransferState::Cancelled) },
        Event::Lagged,
    ];
    let errors = [Some(1), None].map(|id| ServerFrame::Error { id, error: error.clone() });
    oks.into_iter()
        .map(|ok| ServerFrame::Ok { id: u32::MAX, ok })
        .chain(events.into_iter().map(|event| ServerFrame::Event { event }))
        .chain(errors)
        .collect()
}

#[test]
fn every_frame_survives_the_wire_in_one_line() {
    for request in requests() {
        let frame = RequestFrame { id: 7, request };
        let json = serde_json::to_string(&frame).unwrap();
        assert!(!json.contains('\n'));
        assert_eq!(serde_json::from_str::<RequestFrame>(&json).unwrap(), frame, "{json}");
    }
    for frame in server_frames() {
        let json = serde_json::to_string(&frame).unwrap();
        assert!(!json.contains('\n'));
        assert_eq!(serde_json::from_str::<ServerFrame>(&json).unwrap(), frame, "{json}");
    }
}

#[test]
fn optional_fields_may_be_left_out() {
    let json = format!(r#"{{"id":1,"request":{{"type":"send","conversation":"{C}","text":"x"}}}}"#);
    let frame: RequestFrame = serde_json::from_str(&json).unwrap();
    assert_eq!(frame.request, Request::Send { conversation: C, text: "x".into(), id: None, reply_to: None });
}

#[test]
fn secrets_do_not_print() {
    let printed = format!("{:?} {:?} {:?} {:?}", requests(), ticket(), phrase(), link());
    assert!(!printed.contains("canary"), "{printed}");
    let signed_up = SignedUp { username: "alice".into(), recovery_codes: vec!["canary".into()] };
    assert!(!format!("{signed_up:?}").contains("canary"));
    let backed_up = BackedUp { path: "/f".into(), secret: Some("canary".into()), messages: 1 };
    assert!(!format!("{backed_up:?}").contains("canary"));
}
