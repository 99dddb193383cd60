//! The program as scripts meet it: output, exit codes, order of doing, against a node that is played by the test.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod played;

use std::io::Read;
use std::process::Stdio;

use livechat_node::api::{
    Conversation, Delivery, ErrorCode, Event, Handover, HandoverStep, HistoryPage, JoinState, Joining, MessageBody,
    RelayState, Request, Response, Role, ServerFrame, Status, Transfer, TransferState,
};
use played::{Node, active, bob, conversation, error, message, own, run, run_with, status};

#[test]
fn no_node_and_no_relay_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let done = run(dir.path(), &["status"]);
    assert_eq!(done.code, 8);
    assert!(done.stderr.contains("--relay"), "{}", done.stderr);
    assert_eq!(done.stdout, "");
}

#[test]
fn usage_errors_are_two() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["frobnicate"][..],
        &["send"],
        &["send", "bob", "x", "--wait", "never"],
        &["recv", "--count", "0"],
        &["--relay", "ftp://x", "status"],
        &["send", "bob", "  "],
    ] {
        let done = run(dir.path(), args);
        assert_eq!(done.code, 2, "{args:?}: {}", done.stderr);
        assert!(!done.stderr.is_empty());
    }
    for args in [&["--help"][..], &["send", "--help"], &["--version"], &["completions", "bash"]] {
        let done = run(dir.path(), args);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{args:?}");
        assert!(!done.stdout.is_empty());
    }
}

#[test]
fn refusals_have_their_exit_codes() {
    let table = [
        (ErrorCode::WrongState, 3),
        (ErrorCode::NotFound, 4),
        (ErrorCode::RelayUnreachable, 5),
        (ErrorCode::InvalidCredentials, 6),
        (ErrorCode::UsernameUnavailable, 6),
        (ErrorCode::PendingExpired, 6),
        (ErrorCode::Untrusted, 6),
        (ErrorCode::TooManyRequests, 7),
        (ErrorCode::StoreFailed, 1),
        (ErrorCode::Internal, 1),
    ];
    for (code, exit) in table {
        let node = Node::play(move |_, _| Err(error(code)));
        let done = run(node.dir(), &["add", "carol"]);
        assert_eq!(done.code, exit, "{code:?}: {}", done.stderr);
        assert!(done.stderr.contains("what failed") && done.stderr.contains("what to do"), "{}", done.stderr);
        let json = run(node.dir(), &["--json", "add", "carol"]);
        assert_eq!(json.code, exit);
        let line: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
        assert_eq!(line["type"], "error");
        assert_eq!(line["hint"], "what to do");
    }
}

#[test]
fn status_is_one_object() {
    let node = Node::play(active);
    let done = run(node.dir(), &["--json", "status"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let line: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&line["type"], &line["account"]["username"]), (&"status".into(), &"alice".into()));
    let read: Status = {
        let mut fields = line.as_object().unwrap().clone();
        fields.remove("type");
        serde_json::from_value(fields.into()).unwrap()
    };
    assert_eq!(read, status());
}

#[test]
fn an_unknown_contact_is_four_and_nothing_is_sent() {
    let node = Node::play(active);
    let done = run(node.dir(), &["send", "carol", "hi"]);
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("add carol"), "{}", done.stderr);
    assert!(!node.asked().iter().any(|r| matches!(r, Request::Send { .. })));
}

/// Answers a send as queued; `accepts`: and reports it accepted.
fn post(
    accepts: bool,
) -> impl Fn(&Request, &played::Events) -> Result<Response, livechat_node::api::Error> + Send + 'static {
    move |request, events| {
        if let Request::Send { text, .. } = request {
            let sent = own(text, Delivery::Queued);
            if accepts {
                let message = own(text, Delivery::Accepted);
                events.say(ServerFrame::Event {
                    event: Event::MessageChanged { conversation: bob().conversation, message },
                });
            }
            return Ok(Response::Sent(sent));
        }
        active(request, events)
    }
}

#[test]
fn send_waits_until_the_relay_has_it() {
    let node = Node::play(post(true));
    let done = run(node.dir(), &["--json", "send", "@Bob", "hello", "there"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let line: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(line["message"]["delivery"], "accepted");
    assert_eq!(line["message"]["body"]["text"], "hello there");
}

#[test]
fn send_says_when_time_runs_out() {
    let node = Node::play(post(false));
    let done = run(node.dir(), &["send", "bob", "hello", "--timeout", "1"]);
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("queued on this device"), "{}", done.stderr);
    let patient = run(node.dir(), &["send", "bob", "hello", "--wait", "queued"]);
    assert_eq!(patient.code, 0, "{}", patient.stderr);
}

/// A file that goes up in two steps and then is a message.
fn upload(
    state: Option<TransferState>,
) -> impl Fn(&Request, &played::Events) -> Result<Response, livechat_node::api::Error> + Send + 'static {
    let transfer = move |done, state| Transfer {
        conversation: bob().conversation,
        message: own("", Delivery::Queued).id,
        up: true,
        name: "notes.txt".into(),
        size: 5,
        done,
        total: 100,
        direct: false,
        state,
    };
    let arrived = std::sync::atomic::AtomicBool::new(false);
    move |request, events| match request {
        Request::SendFile { path, as_is: false, .. } if path.starts_with('/') => {
            let last = state.clone().unwrap_or(TransferState::Done);
            arrived.store(last == TransferState::Done, std::sync::atomic::Ordering::SeqCst);
            for (done, state) in [(50, TransferState::Running), (100, last)] {
                let transfer = transfer(done, state);
                events.say(ServerFrame::Event { event: Event::TransferChanged { transfer } });
            }
            Ok(Response::Transfer(transfer(0, TransferState::Running)))
        }
        Request::History { .. } if arrived.load(std::sync::atomic::Ordering::SeqCst) => {
            let body = MessageBody::File {
                name: "notes.txt".into(),
                media: "text/plain".into(),
                size: 5,
                until: 9,
                preview: None,
                voice: None,
                here: true,
            };
            let message = livechat_node::api::Message { body, ..own("", Delivery::Accepted) };
            Ok(Response::History(HistoryPage { messages: vec![message], more: false, newer: false }))
        }
        Request::SaveFile { to, .. } => Ok(Response::Saved { path: format!("{to}/notes.txt") }),
        other => active(other, events),
    }
}

#[test]
fn a_file_is_sent_and_saved() {
    let node = Node::play(upload(None));
    let done = run(node.dir(), &["--json", "send", "bob", "--file", "notes.txt"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let line: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&line["message"]["body"]["type"], &line["message"]["delivery"]), (&"file".into(), &"accepted".into()));
    let saved = run(node.dir(), &["save", "bob", "--to", "/tmp"]);
    assert_eq!((saved.code, saved.stdout.as_str()), (0, "/tmp/notes.txt\n"), "{}", saved.stderr);
    let asked = node.asked();
    assert!(asked.iter().any(|r| matches!(r, Request::SaveFile { position: 3, to, .. } if to == "/tmp")));
    assert_eq!(run(node.dir(), &["send", "bob", "text", "--file", "x"]).code, 2, "one or the other");
}

#[test]
fn a_file_that_cannot_go_says_why() {
    let failed = TransferState::Failed { message: "No room.".into(), hint: "Delete some.".into() };
    let node = Node::play(upload(Some(failed)));
    let done = run(node.dir(), &["send", "bob", "--file", "/etc/hostname"]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("No room. Delete some."), "{}", done.stderr);
    let waiting = TransferState::Waiting { reason: "The relay can't be reached.".into() };
    let node = Node::play(upload(Some(waiting)));
    let done = run(node.dir(), &["send", "bob", "--file", "/etc/hostname", "--timeout", "1"]);
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains("The relay can't be reached.") && done.stderr.contains("don't send it again"));
}

#[test]
fn send_reads_standard_input() {
    let node = Node::play(post(true));
    let done = run_with(node.dir(), &["send", "bob"], Some("two\r\nlines\n"));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let text = node.asked().iter().find_map(|r| match r {
        Request::Send { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(text.as_deref(), Some("two\nlines"));
    let binary = run_with(node.dir(), &["send", "bob", "-"], Some("\u{0}"));
    assert_eq!(binary.code, 0, "control characters are text");
}

/// Two unread messages of bob's among others.
fn inbox(request: &Request, events: &played::Events) -> Result<Response, livechat_node::api::Error> {
    match request {
        Request::Conversations => Ok(Response::Conversations { conversations: vec![conversation(2)] }),
        Request::History { before: None, .. } => Ok(Response::History(livechat_node::api::HistoryPage {
            messages: vec![
                message(1, "old"),
                message(2, "new \u{1b}[31mred\u{9b}2J\n12:00 carol: forged"),
                own("mine", Delivery::Read),
                message(4, "newer"),
            ],
            more: false,
            newer: false,
        })),
        Request::MarkRead { .. } => Ok(Response::Done),
        _ => active(request, events),
    }
}

#[test]
fn search_asks_as_typed_and_prints_for_people_and_programs() {
    let found = |request: &Request, events: &played::Events| match request {
        Request::Search { next, .. } => {
            let piece = |text: &str, hit| livechat_node::api::Piece { text: text.into(), hit };
            let hit = livechat_node::api::Hit {
                conversation: bob().conversation,
                title: "bob".into(),
                group: false,
                message: message(7, "the needle\u{9b}2J"),
                excerpt: vec![piece("the ", false), piece("needle", true), piece("\u{9b}2J", false)],
            };
            let next = next.is_none().then(|| "1".to_owned());
            Ok(Response::Found(livechat_node::api::Found { hits: vec![hit], next }))
        }
        _ => active(request, events),
    };
    let node = Node::play(found);
    let done = run(node.dir(), &["search", "the needle", "from:bob", "--in", "bob", "--newest"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert_eq!(done.stdout.lines().count(), 4, "two answers of one hit each: {}", done.stdout);
    assert!(done.stdout.contains("bob #7 bob:\n  the needle<U+009B>2J\n"), "{}", done.stdout);
    let asked: Vec<_> = node.asked().into_iter().filter(|r| matches!(r, Request::Search { .. })).collect();
    let (query, conversation) = ("\"the needle\" from:bob".to_owned(), Some(bob().conversation));
    let order = livechat_node::api::SearchOrder::Newest;
    let first = Request::Search { query, conversation, order, next: None, limit: 20 };
    assert_eq!((asked.len(), &asked[0]), (2, &first));
    assert!(matches!(&asked[1], Request::Search { next: Some(next), limit: 19, .. } if next == "1"));
    let json = run(node.dir(), &["--json", "search", "needle", "-n", "1"]);
    let line: serde_json::Value = serde_json::from_str(json.stdout.trim()).unwrap();
    assert_eq!((&line["type"], &line["message"]["position"]), (&"hit".into(), &7.into()));
}

#[test]
fn export_writes_a_file_that_takes_no_others_place() {
    let history = |request: &Request, events: &played::Events| match request {
        Request::HistoryAt { position: 0, older: 0, .. } => Ok(Response::History(livechat_node::api::HistoryPage {
            messages: vec![message(1, "hello"), own("hi", Delivery::Read)],
            more: false,
            newer: false,
        })),
        _ => active(request, events),
    };
    let node = Node::play(history);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bob.jsonl");
    let export = ["--json", "export", "bob", "--format", "jsonl", "--output", file.to_str().unwrap()];
    let done = run(node.dir(), &export);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let line: serde_json::Value = serde_json::from_str(done.stdout.trim()).unwrap();
    assert_eq!((&line["type"], &line["messages"]), (&"saved".into(), &2.into()));
    let copy = std::fs::read_to_string(&file).unwrap();
    assert_eq!(copy.lines().count(), 2);
    assert!(copy.contains("\"text\":\"hello\""), "{copy}");
    let again = run(node.dir(), &export);
    assert_eq!(again.code, 1, "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), copy);
    let printed = run(node.dir(), &["export", "--output", "-"]);
    assert!(printed.stdout.starts_with("# Chat with bob\n\n## Sunday"), "{}", printed.stdout);
    assert_eq!(run(node.dir(), &["export", "carol", "--output", "-"]).code, 4);
}

/// Two files that are here and one that isn't; the second one's names lead astray, and saving it may fail midway.
fn shared(
    full: bool,
) -> impl Fn(&Request, &played::Events) -> Result<Response, livechat_node::api::Error> + Send + 'static {
    let file = |position, name: &str, here| livechat_node::api::Message {
        body: MessageBody::File {
            name: name.into(),
            media: "a/b".into(),
            size: 5,
            until: 9,
            preview: None,
            voice: None,
            here,
        },
        ..message(position, "")
    };
    move |request, events| match request {
        Request::HistoryAt { position: 0, older: 0, .. } => Ok(Response::History(HistoryPage {
            messages: vec![
                file(1, "a.txt", true),
                file(2, "../../../x\n", true),
                file(3, "away", false),
                file(4, "A.txt", true),
            ],
            more: false,
            newer: false,
        })),
        Request::SaveFile { position: 4, .. } => Err(played::error(ErrorCode::NotFound)),
        Request::SaveFile { position, to, .. } => {
            std::fs::write(to, "bytes").unwrap();
            let message = "The file can't be saved there: No space left on device (os error 28).";
            let failed = livechat_node::api::Error { message: message.into(), ..played::error(ErrorCode::BadFile) };
            if full && *position == 2 { Err(failed) } else { Ok(Response::Saved { path: to.clone() }) }
        }
        _ => active(request, events),
    }
}

#[test]
fn export_takes_files_along_under_harmless_names() {
    let node = Node::play(shared(false));
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("copy");
    let export = ["--json", "export", "bob", "--files", "--output", place.to_str().unwrap()];
    let done = run(node.dir(), &export);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let line: serde_json::Value = serde_json::from_str(done.stdout.trim()).unwrap();
    assert_eq!((&line["type"], &line["messages"], &line["files"]), (&"saved".into(), &4.into(), &2.into()));
    let listing = |dir: &std::path::Path| {
        let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        entries.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        (listing(dir.path()), listing(&place)),
        (vec!["copy".into()], vec!["chat.md".to_owned(), "files".into()])
    );
    assert_eq!(listing(&place.join("files")), ["_.._.._x_", "a.txt"]);
    let text = std::fs::read_to_string(place.join("chat.md")).unwrap();
    assert!(text.contains("](files/a.txt)\n") && text.contains("](files/_.._.._x_)\n"), "{text}");
    // Not here from the beginning, and gone when it was to be saved.
    assert!(
        text.contains("isn't on this device)* away\n") && text.contains("isn't on this device)* A.txt\n"),
        "{text}"
    );
    assert_eq!(run(node.dir(), &export).code, 1, "nothing is overwritten");
    assert_eq!(run(node.dir(), &["export", "--files", "--output", "-"]).code, 2);
}

#[test]
fn an_export_that_finds_the_disk_full_leaves_nothing() {
    let node = Node::play(shared(true));
    let dir = tempfile::tempdir().unwrap();
    let failed = run(node.dir(), &["export", "--files", "--output", dir.path().join("copy").to_str().unwrap()]);
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("No space left on device"), "{}", failed.stderr);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let asked = node.asked();
    assert!(asked.iter().any(|r| matches!(r, Request::SaveFile { position: 2, .. })), "control: it got that far");
}

#[test]
fn a_backup_prints_what_opens_it_and_a_restore_reads_that() {
    let node = Node::play(|request, events| match request {
        Request::Backup { path, secret } => Ok(Response::BackedUp(livechat_node::api::BackedUp {
            path: path.clone(),
            secret: secret.is_none().then(|| "abcde-fghij".into()),
            messages: 3,
        })),
        Request::Restore { .. } => {
            let done = livechat_node::api::Restored { contacts: 1, conversations: 2, messages: 3, left: 0 };
            Ok(Response::Restored(done))
        }
        _ => active(request, events),
    });
    let made = run(node.dir(), &["backup", "--output", "b.backup"]);
    assert_eq!((made.code, made.stderr.as_str()), (0, ""));
    assert!(made.stdout.contains("    abcde-fghij\n"), "{}", made.stdout);
    let own = run_with(node.dir(), &["--json", "backup", "--passphrase"], Some("four words of mine\n"));
    assert_eq!((own.code, own.stderr.as_str()), (0, ""));
    assert!(own.stdout.contains("\"secret\":null"), "{}", own.stdout);
    let back = run_with(node.dir(), &["restore", "b.backup"], Some(" abcde-fghij\n"));
    assert!(back.stdout.starts_with("3 messages in 2 conversations are back"), "{}", back.stdout);
    assert_eq!(run_with(node.dir(), &["restore", "b.backup"], Some("\n")).code, 2);
    let asked = node.asked();
    assert!(matches!(&asked[0], Request::Backup { path, secret: None } if path.starts_with('/')), "{asked:?}");
    let is_own = |r: &Request| matches!(r, Request::Backup { secret: Some(s), .. } if s == "four words of mine");
    assert!(asked.iter().any(is_own));
    assert!(asked.iter().any(|r| matches!(r, Request::Restore { secret, .. } if secret == "abcde-fghij")));
}

#[test]
fn verify_shows_notes_and_compares() {
    let node = Node::play(|request, events| match request {
        Request::SafetyCode { .. } => Ok(Response::SafetyCode(livechat_node::api::SafetyCode {
            code: "LIVECHAT-VERIFY:ABC".into(),
            qr_svg: String::new(),
        })),
        Request::Verify { .. } => Ok(Response::Done),
        Request::CheckCode { code } if code.ends_with("BOB") => {
            Ok(Response::Contact(livechat_node::api::Contact { verified: true, ..bob() }))
        }
        Request::CheckCode { .. } => Err(error(ErrorCode::Untrusted)),
        _ => active(request, events),
    });
    let shown = run(node.dir(), &["verify", "bob"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert!(shown.stdout.contains("12345 12345") && shown.stdout.contains("LIVECHAT-VERIFY:ABC"), "{}", shown.stdout);
    let json = run(node.dir(), &["--json", "verify", "bob"]);
    let line: serde_json::Value = serde_json::from_str(json.stdout.trim()).unwrap();
    assert_eq!((&line["verified"], &line["code"]), (&false.into(), &"LIVECHAT-VERIFY:ABC".into()));
    assert_eq!(run(node.dir(), &["verify", "bob", "--same"]).code, 0);
    let account = bob().account;
    assert!(node.asked().contains(&Request::Verify { account, verified: true }));
    let compared = run(node.dir(), &["verify", "livechat-verify:BOB"]);
    assert!(compared.stdout.contains("✓ bob is verified"), "{}", compared.stdout);
    assert_eq!(run(node.dir(), &["verify", "LIVECHAT-VERIFY:EVE"]).code, 6);
    assert_eq!(run(node.dir(), &["verify", "carol"]).code, 4);
}

#[test]
fn recv_prints_what_is_unread_then_marks_it() {
    let node = Node::play(inbox);
    let done = run(node.dir(), &["--json", "recv"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let texts: Vec<String> = done
        .stdout
        .lines()
        .map(|l| {
            serde_json::from_str::<serde_json::Value>(l).unwrap()["message"]["body"]["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(texts, ["new \u{1b}[31mred\u{9b}2J\n12:00 carol: forged", "newer"], "exact for programs");
    assert!(!done.stdout.chars().any(|c| c.is_control() && c != '\n'), "harmless for terminals: {:?}", done.stdout);
    let marks: Vec<u64> = node
        .asked()
        .iter()
        .filter_map(|r| match r {
            Request::MarkRead { position, .. } => Some(*position),
            _ => None,
        })
        .collect();
    assert_eq!(marks, [4]);
}

#[test]
fn recv_with_a_count_marks_no_more_than_it_prints() {
    let node = Node::play(inbox);
    let done = run(node.dir(), &["recv", "--count", "1"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(done.stdout, "08:30 bob: new ␛[31mred<U+009B>2J\n      │ 12:00 carol: forged\n");
    assert!(matches!(node.asked().last(), Some(Request::MarkRead { position: 2, .. })));
}

#[test]
fn recv_marks_nothing_that_nobody_could_see() {
    let node = Node::play(inbox);
    let mut child = played::command(node.dir(), &["recv"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(0), "a closed pipe is no failure");
    assert!(!node.asked().iter().any(|r| matches!(r, Request::MarkRead { .. })));
}

#[test]
fn recv_waits_no_longer_than_told() {
    let node = Node::play(active);
    let begun = std::time::Instant::now();
    let done = run(node.dir(), &["recv", "--timeout", "1"]);
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(begun.elapsed().as_secs() < 10);
    assert_eq!(run(node.dir(), &["recv"]).code, 0, "without waiting, nothing is an answer");
    assert_eq!(run(node.dir(), &["recv", "--from", "carol"]).code, 4);
}

#[test]
fn a_node_that_dies_is_a_failure_not_a_hang() {
    let node = Node::play(|request, events| {
        if matches!(request, Request::Contacts) {
            events.hang_up();
        }
        active(request, events)
    });
    let done = run(node.dir(), &["contacts"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("lost"), "{}", done.stderr);
}

#[test]
fn a_pipe_gets_the_plain_prompt() {
    let node = Node::play(post(true));
    let done =
        run_with(node.dir(), &[], Some("/contacts\n@bob hi :smile:\n/frobnicate\n/history\n/quit\nnever read\n"));
    assert!(!done.stdout.contains('\u{1b}'), "{:?}", done.stdout);
    assert!(done.stdout.contains("  bob\n"), "{}", done.stdout);
    assert!(done.stdout.contains("There is no command /frobnicate"), "{}", done.stdout);
    assert_eq!(done.code, 2, "the first command that failed decides");
    let sent: Vec<String> = node
        .asked()
        .iter()
        .filter_map(|r| match r {
            Request::Send { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(sent, ["hi 😄"]);
}

#[test]
fn interrupted_is_130() {
    let node = Node::play(active);
    let mut child = played::command(node.dir(), &["recv", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !node.asked().iter().any(|r| matches!(r, Request::Conversations)) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let code = child.wait().unwrap().code();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(code, Some(130), "{said}");
}

#[test]
fn offline_shows_in_the_status() {
    let node = Node::play(|request, events| match request {
        Request::Status => Ok(Response::Status(Status {
            relay: RelayState::Offline { reason: "refused\u{1b}[2J".into(), retry_at: 0 },
            ..status()
        })),
        _ => active(request, events),
    });
    let done = run(node.dir(), &["status"]);
    assert_eq!(done.code, 0);
    assert!(done.stdout.contains("offline: refused␛[2J"), "{}", done.stdout);
}

/// A node with one group that Bob is in, beside the direct chat with him.
fn with_group(request: &Request, events: &played::Events) -> Result<Response, livechat_node::api::Error> {
    let group = played::group();
    match request {
        Request::Conversations => {
            let listed = Conversation { id: group.conversation, title: group.title, group: true, ..conversation(0) };
            Ok(Response::Conversations { conversations: vec![conversation(0), listed] })
        }
        Request::Group { .. } => Ok(Response::Group(group)),
        Request::CreateGroup { .. } => Ok(Response::GroupCreated { conversation: group.conversation }),
        Request::RemoveMember { .. }
        | Request::SetRole { .. }
        | Request::Invite { .. }
        | Request::LeaveGroup { .. } => Ok(Response::Done),
        _ => post(true)(request, events),
    }
}

#[test]
fn groups_are_named_by_their_titles_and_members_by_their_names() {
    let node = Node::play(with_group);
    let listed = run(node.dir(), &["group", "list"]);
    assert_eq!((listed.code, listed.stdout.as_str()), (0, "Berg␛[2Jfahrt  2 members\n"), "{}", listed.stderr);
    let members = run(node.dir(), &["group", "members", "berg\u{1b}[2jFAHRT"]);
    assert_eq!(members.stdout, "  alice (you)  owner\n  bob\n", "{}", members.stderr);
    let title = played::group().title;
    for words in [
        &["group", "new", "Seefahrt", "@bob", "carol"][..],
        &["group", "kick", &title, "@Bob"],
        &["group", "role", &title, "bob", "admin"],
        &["group", "invite", &title, "@carol"],
        &["send", &title, "hi", "all", "--wait", "queued"],
        &["group", "leave", &title, "--yes"],
    ] {
        assert_eq!(run(node.dir(), words).code, 0, "{words:?}");
    }
    let (conversation, account) = (played::group().conversation, bob().account);
    let asked: Vec<_> = node.asked();
    for wanted in [
        Request::CreateGroup { title: "Seefahrt".into(), members: vec!["bob".into(), "carol".into()] },
        Request::RemoveMember { conversation, account },
        Request::SetRole { conversation, account, role: Role::Admin },
        Request::Invite { conversation, username: "carol".into() },
        Request::Send { conversation, text: "hi all".into(), id: None, reply_to: None },
        Request::LeaveGroup { conversation },
    ] {
        assert!(asked.contains(&wanted), "{wanted:?} in {asked:?}");
    }
    let before = asked.len();
    assert_eq!(run(node.dir(), &["group", "kick", &title, "carol"]).code, 4, "she isn't in it");
    assert_eq!(run(node.dir(), &["group", "leave", &title]).code, 2, "without --yes nothing is left");
    assert_eq!(run(node.dir(), &["group", "members", "Talfahrt"]).code, 4);
    assert!(
        !node.asked()[before..].iter().any(|r| matches!(r, Request::RemoveMember { .. } | Request::LeaveGroup { .. }))
    );
}

#[test]
fn the_prompt_talks_to_groups() {
    let node = Node::play(with_group);
    let title = played::group().title;
    let lines = format!("/group\n/group {title}\nhi all\n/members\n/kick bob\n/leave\nno\n@bob hi\n/members\n/quit\n");
    let done = run_with(node.dir(), &[], Some(&lines));
    assert!(done.stdout.contains("Berg␛[2Jfahrt  2 members"), "{}", done.stdout);
    assert!(done.stdout.contains("  alice (you)  owner"), "{}", done.stdout);
    assert!(done.stdout.contains("bob is being removed"), "{}", done.stdout);
    assert!(done.stdout.contains("You stay."), "{}", done.stdout);
    assert!(done.stdout.contains("You are not talking to a group."), "a direct chat has no members: {}", done.stdout);
    let to: Vec<_> = node
        .asked()
        .iter()
        .filter_map(|r| match r {
            Request::Send { conversation, text, .. } => Some((*conversation, text.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(to, [(played::group().conversation, "hi all".into()), (bob().conversation, "hi".into())]);
    assert!(!node.asked().iter().any(|r| matches!(r, Request::LeaveGroup { .. })));
}

/// One of each kind; a kind that is added doesn't compile here before it is told.
fn every_event() -> Vec<Event> {
    let message = message(3, "hi");
    let conversation = bob().conversation;
    let next = |event: &Event| {
        Some(match event {
            Event::Status(_) => Event::MessageAdded { conversation, message: message.clone() },
            Event::MessageAdded { .. } => Event::MessageChanged { conversation, message: message.clone() },
            Event::MessageChanged { .. } => Event::MessageRemoved { conversation, id: message.id, position: 3 },
            Event::MessageRemoved { .. } => {
                Event::Typing { conversation, account: bob().account, name: "bob".into(), typing: true }
            }
            Event::Typing { .. } => Event::ConversationChanged { conversation: played::conversation(1) },
            Event::ConversationChanged { .. } => Event::GroupChanged { group: played::group() },
            Event::GroupChanged { .. } => Event::JoiningChanged {
                joining: Joining {
                    door: "d".into(),
                    doorkeepers: vec!["bob".into()],
                    since: 1,
                    state: JoinState::Waiting,
                },
            },
            Event::JoiningChanged { .. } => Event::DevicesChanged { devices: Vec::new() },
            Event::DevicesChanged { .. } => Event::TransferChanged {
                transfer: Transfer {
                    conversation,
                    message: message.id,
                    up: true,
                    name: "a\u{1b}[2J.txt".into(),
                    size: 5,
                    done: 1,
                    total: 100,
                    direct: false,
                    state: TransferState::Running,
                },
            },
            Event::TransferChanged { .. } => Event::HandoverChanged {
                handover: Handover {
                    device: None,
                    step: HandoverStep::Moving,
                    messages: 3,
                    done: 1,
                    total: 100,
                    state: TransferState::Running,
                },
            },
            Event::HandoverChanged { .. } => Event::Lagged,
            Event::Lagged => return None,
        })
    };
    std::iter::successors(Some(Event::Status(status())), next).collect()
}

#[test]
fn every_event_is_one_line() {
    let node = Node::play(|request, events| {
        if matches!(request, Request::Status) {
            for event in every_event() {
                events.say(ServerFrame::Event { event });
            }
        }
        active(request, events)
    });
    let all = every_event();
    let done = run(node.dir(), &["events", "--count", &all.len().to_string()]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(!done.stdout.contains('\u{1b}'), "a terminal may be looking");
    let told: Vec<Event> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[0], Event::Status(status()));
    assert_eq!(told[1..], all);
}

#[test]
fn events_go_on_when_the_node_comes_back() {
    let starts = std::sync::atomic::AtomicU32::new(0);
    let node = Node::play(move |request, events| {
        // It stops while it is asked for the first time, as one does that is killed.
        if starts.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            events.hang_up();
        }
        events.say(ServerFrame::Event { event: Event::DevicesChanged { devices: Vec::new() } });
        active(request, events)
    });
    let done = run(node.dir(), &["events", "--follow", "--count", "1"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("waiting for it"), "{}", done.stderr);
    let told: Vec<Event> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told, [Event::Lagged, Event::Status(status()), Event::DevicesChanged { devices: Vec::new() }]);

    let gone = Node::play(|_, events| {
        events.hang_up();
        Err(error(ErrorCode::Internal))
    });
    let done = run(gone.dir(), &["events"]);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(done.stderr.contains("has stopped") && done.stderr.contains("--follow"), "{}", done.stderr);
}
