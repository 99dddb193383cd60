//! Sender binding (P4): of everything a member can claim, only what is true has an effect.

use livechat_crypto::mls::GroupId;
use livechat_engine::view::{Delivery, Role};
use livechat_engine::{Command, Input};
use livechat_wire::content::{Body, Content, Edit, File, FileKey, Post, Reactions, Target};
use livechat_wire::{ConversationId, MessageId};

use crate::circle::Circle;
use crate::rig::{Person, introduce, roomy};

/// What Alice sees, and what Mallory, who shares one of her conversations, can make claims about.
struct Scene {
    alice: Person,
    mallory: Person,
    /// All that Alice has; the one that Mallory is in comes first.
    chats: [(&'static str, ConversationId); 3],
    /// In which he sends …
    group: GroupId,
    /// … an envelope with this number next.
    number: u64,
    said: Vec<(&'static str, Target)>,
}

/// Alice knows Bob, Carol and Mallory, and wrote to each; Mallory wrote to her.
fn direct_chats() -> Scene {
    let mut alice = Person::new("alice");
    let mut others = ["bob", "carol", "mallory"].map(Person::new);
    let mut said = Vec::new();
    let mut chats = Vec::new();
    for (other, name) in others.iter_mut().zip(["alice to bob", "alice to carol", "alice to mallory"]) {
        let chat = introduce(&mut alice, other);
        let own = alice.says(chat, name).0;
        said.push((name, Target { author: own.author, id: own.id }));
        chats.push((name, chat));
    }
    let [_, _, mut mallory] = others;
    let (own, effects) = mallory.says(chats[2].1, "mallory to alice");
    let _ = alice.gets(&effects.gossip);
    said.push(("mallory to alice", Target { author: own.author, id: own.id }));
    let alices = said[0].1.author;
    said.push(("nothing at all", Target { author: alices, id: MessageId([0xee; 16]) }));
    // Their ids, under his name.
    said.push(("mallory's claim to alice to bob", Target { author: own.author, id: said[0].1.id }));
    said.push(("mallory's claim to alice to mallory", Target { author: own.author, id: said[2].1.id }));
    chats.rotate_right(1);
    let group = mallory.group_with(&alice);
    // Number 0 was Mallory's honest message.
    Scene { alice, mallory, chats: chats.try_into().expect("three"), group, number: 1, said }
}

/// Alice, Bob and Mallory are in a group, and Mallory is an owner of it: that helps him to nothing. Alice and Bob are
/// in another one and know each other.
fn groups() -> Scene {
    const ALICE: usize = 0;
    const BOB: usize = 1;
    const MALLORY: usize = 2;
    let mut world = Circle::of(&["alice", "bob", "mallory"]);
    let at = world.creates(ALICE, "all", &[BOB, MALLORY]);
    let other = world.creates(ALICE, "two", &[BOB]);
    world.settle(10);
    let account = world.account(MALLORY);
    world.does(ALICE, Command::SetRole { conversation: at, account, role: Role::Owner }).expect("allowed");
    world.settle(10);
    let texts = [(ALICE, at, "alice"), (BOB, at, "bob"), (MALLORY, at, "mallory"), (ALICE, other, "alice elsewhere")];
    let mut said = Vec::new();
    for (who, chat, text) in texts {
        world.says(who, chat, text);
        let own = world.people[who].history(chat).pop().expect("what was said");
        said.push((text, Target { author: own.author, id: own.id }));
        world.settle(5);
    }
    world.does(BOB, Command::MarkRead { conversation: at, position: u64::MAX }).expect("allowed");
    world.settle(10);
    // A new epoch, in which nobody has sent anything yet.
    world.does(ALICE, Command::SetTitle { conversation: at, title: "everybody".into() }).expect("allowed");
    world.settle(10);
    world.agree(&[ALICE, BOB, MALLORY], at);
    said.push(("nothing at all", Target { author: said[0].1.author, id: MessageId([0xee; 16]) }));
    // Their ids, under his name.
    said.push(("mallory's claim to alice", Target { author: account, id: said[0].1.id }));
    said.push(("mallory's claim to bob", Target { author: account, id: said[1].1.id }));
    let group = world.mls_group(MALLORY, at);
    let mut people = world.people.into_iter();
    let (mut alice, mut bob) = (people.next().expect("alice"), people.next().expect("bob"));
    let mallory = people.next().expect("mallory");
    let direct = introduce(&mut alice, &mut bob);
    let chats = [("the group", at), ("the other group", other), ("alice to bob", direct)];
    Scene { alice, mallory, chats, group, number: 0, said }
}

/// Everything that Alice sees.
fn everything(scene: &Scene) -> String {
    let histories: Vec<_> = scene.chats.iter().map(|(_, chat)| scene.alice.history(*chat)).collect();
    let lists = (scene.alice.engine.conversations(&scene.alice.kv), scene.alice.engine.contacts(&scene.alice.kv));
    let groups = scene.chats.map(|(_, chat)| scene.alice.engine.group(&scene.alice.kv, chat));
    format!("{histories:?}{lists:?}{groups:?}")
}

fn file() -> File {
    File {
        name: "forged".into(),
        media: "text/plain".into(),
        size: 1,
        blob: livechat_wire::BlobId([1; 32]),
        key: FileKey([2; 32]),
        hash: [3; 32],
        until: 4,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

/// Everything that content can claim about a message: what, and the content's id when it must be the message's own.
fn claims(target: Target) -> Vec<(&'static str, Body, bool)> {
    let text = || "forged".to_owned();
    let post = |reply_to, forwarded, timer| Body::Post(Post { text: text(), reply_to, forwarded, timer });
    let edit = |revision| Body::Edit(Edit { target, revision, text: text() });
    let reactions = |emoji: &[&str]| {
        let emoji = emoji.iter().map(|e| (*e).to_owned()).collect();
        Body::Reactions(Reactions { target, revision: 1, emoji })
    };
    vec![
        ("delivered", Body::Receipts { delivered: vec![target.id], read: vec![] }, false),
        ("read", Body::Receipts { delivered: vec![], read: vec![target.id] }, false),
        ("text under its id", Body::Text(text()), true),
        ("reply", post(Some(target), false, 0), false),
        ("reply under its id", post(Some(target), false, 0), true),
        ("forward under its id", post(None, true, 0), true),
        ("disappearing text under its id", post(None, false, 1), true),
        ("file under its id", Body::File(Box::new(file())), true),
        ("edit", edit(1), false),
        ("last edit", edit(u32::MAX), false),
        ("deletion", Body::Delete(target), false),
        ("deletion under its id", Body::Delete(target), true),
        ("reaction", reactions(&["👍"]), false),
        ("reaction taken back", reactions(&[]), false),
        ("timer", Body::Timer { revision: 1, seconds: 60 }, false),
        ("timer under its id", Body::Timer { revision: u32::MAX, seconds: 0 }, true),
        ("profile", Body::Profile { revision: 1, name: text() }, false),
        ("typing", Body::Typing(true), false),
        ("stopped typing", Body::Typing(false), false),
        ("something newer under its id", Body::Unknown { kind: 40, data: target.id.0.to_vec() }, true),
    ]
}

/// Mallory claims, in each conversation, each kind of content about each message, each time in a world of their own.
/// Returns the cells that had an effect and the number of all.
fn matrix(mut scene: Scene, prepare: impl Fn(&mut Scene)) -> (Vec<String>, usize) {
    prepare(&mut scene);
    let (group, number) = (scene.group, scene.number);
    let mut claimed: Vec<(&str, Vec<u8>)> = scene.chats.iter().map(|(n, c)| (*n, c.0.to_vec())).collect();
    claimed.push(("a chat that isn't there", vec![7; 32]));
    claimed.push(("no chat", Vec::new()));
    claimed.push(("half a chat", scene.chats[0].1.0[..16].to_vec()));
    let (mut effective, mut cells) = (Vec::new(), 0);
    let begin = (scene.alice.kv.clone(), scene.mallory.kv.clone());
    let before = everything(&scene);
    for (chat, aad) in &claimed {
        for (about, target) in scene.said.clone() {
            for (what, body, under_its_id) in claims(target) {
                let id = if under_its_id { target.id } else { MessageId([0x77; 16]) };
                let typing = matches!(body, Body::Typing(_));
                let content = Content { id, parents: vec![target.id], sent_at: 0, body };
                let mut events = Vec::new();
                if typing {
                    let passing = scene.mallory.passes(group, &content, aad);
                    events.extend(scene.alice.takes(Input::Gossip(passing)).events);
                } else {
                    let envelopes = scene.mallory.forges(group, number, &content, aad);
                    events.extend(scene.alice.gets(&envelopes).events);
                }
                cells += 1;
                if before != everything(&scene) || !events.is_empty() {
                    effective.push(format!("in {chat}: {what} of {about}"));
                }
                (scene.alice.kv, scene.mallory.kv) = begin.clone();
                scene.alice.restarts();
                prepare(&mut scene);
            }
        }
    }
    (effective, cells)
}

/// What Mallory may do in his own conversation with Alice: speak for himself, answer and react to what is there, change
/// what is his, confirm what was said to him, set the timer. Nothing in any other, nothing about anybody else's.
fn honest_to_alice(cell: &str) -> bool {
    let Some((what, about)) = cell.strip_prefix("in alice to mallory: ").and_then(|c| c.split_once(" of ")) else {
        return false;
    };
    let (his, said_to_him) = (about == "mallory to alice", about == "alice to mallory");
    match what {
        // Receipts name ids only, and only ours are looked up.
        "delivered" | "read" => said_to_him || about == "mallory's claim to alice to mallory",
        // A message of his own may have any id that he hasn't used: others' messages are not touched by that.
        "text under its id"
        | "reply under its id"
        | "forward under its id"
        | "disappearing text under its id"
        | "file under its id"
        | "timer under its id"
        | "something newer under its id" => !his,
        "reply" | "timer" | "profile" | "typing" => true,
        "edit" | "last edit" | "deletion" | "deletion under its id" => his,
        "reaction" => his || said_to_him,
        // Taking back what isn't there is allowed and shows as a change to faces.
        "reaction taken back" => his || said_to_him,
        _ => false,
    }
}

/// What he may do in a group: the same, except that its timer is set by a commit. A message is read when all have read
/// it; Bob has.
fn honest_in_the_group(cell: &str) -> bool {
    let Some((what, about)) = cell.strip_prefix("in the group: ").and_then(|c| c.split_once(" of ")) else {
        return false;
    };
    let his = about == "mallory";
    match what {
        "delivered" | "read" => about == "alice" || about == "mallory's claim to alice",
        "text under its id"
        | "reply under its id"
        | "forward under its id"
        | "disappearing text under its id"
        | "file under its id"
        | "something newer under its id" => !his,
        "reply" | "profile" | "typing" => true,
        "edit" | "last edit" | "deletion" | "deletion under its id" => his,
        "reaction" | "reaction taken back" => his || about == "alice" || about == "bob",
        _ => false,
    }
}

/// A scene, what is honest in it, and how many cells of its matrix must have an effect.
type Expected = (fn() -> Scene, fn(&str) -> bool, usize);

/// A matrix would prove nothing if nothing at all got through.
const SCENES: [Expected; 2] = [(direct_chats, honest_to_alice, 82), (groups, honest_in_the_group, 62)];

#[test]
fn sender_binding() {
    roomy(|| {
        let mut all = 0;
        for (scene, honest, expected) in SCENES {
            let (effective, cells) = matrix(scene(), |_| {});
            let wrong: Vec<_> = effective.iter().filter(|cell| !honest(cell)).collect();
            assert!(wrong.is_empty(), "{wrong:#?}");
            assert_eq!(effective.len(), expected, "{effective:#?}");
            all += cells;
        }
        println!("{all} cells");
        assert!(all >= 600);
    });
}

/// The controls: with the conversation or the author dropped from what is checked, the matrix must notice.
#[cfg(feature = "sabotage")]
#[test]
fn sender_binding_notices_what_is_not_checked() {
    let drops = [
        livechat_engine::Sabotage { any_conversation: true, ..Default::default() },
        livechat_engine::Sabotage { any_author: true, ..Default::default() },
    ];
    for sabotage in drops {
        roomy(move || {
            for (scene, honest, _) in SCENES {
                let (effective, _) = matrix(scene(), |scene| scene.alice.engine.sabotage(sabotage));
                assert!(effective.iter().any(|cell| !honest(cell)), "{sabotage:?}: {effective:?}");
            }
        });
    }
}

/// Somebody else's words, carried in one's own envelopes, stay somebody else's: they don't open.
#[test]
fn words_of_another_group_do_not_open_here() {
    roomy(|| {
        let mut scene = direct_chats();
        let mut dave = Person::new("dave");
        let group = scene.group;
        let daves = introduce(&mut dave, &mut scene.alice);
        let message = {
            let group = dave.group_with(&scene.alice);
            let body = Body::Text("from dave".into());
            let content = Content { id: MessageId([3; 16]), parents: vec![], sent_at: 0, body };
            dave.encrypts(group, &content.encode(), &daves.0)
        };
        let before = everything(&scene);
        let refused = scene.alice.engine.refused().malformed;
        let carried = scene.mallory.seals(group, 1, &message);
        let effects = scene.alice.gets(&carried);
        assert!(effects.events.is_empty());
        assert_eq!(everything(&scene), before);
        assert_eq!(scene.alice.engine.refused().malformed, refused + 1);
    });
}

/// A message under the id of one of ours is the author's own, and ours keeps its delivery.
#[test]
fn an_id_of_ours_in_another_mouth_changes_nothing_of_ours() {
    roomy(|| {
        let mut scene = direct_chats();
        let ours = scene.said[2].1.id;
        let chat = scene.chats[0].1;
        let group = scene.group;
        let content = Content { id: ours, parents: vec![], sent_at: 0, body: Body::Text("me too".into()) };
        let envelopes = scene.mallory.forges(group, 1, &content, &chat.0);
        let _ = scene.alice.gets(&envelopes);
        let history = scene.alice.history(chat);
        let with_id: Vec<_> = history.iter().filter(|m| m.id == ours).map(|m| (m.own, m.delivery)).collect();
        assert_eq!(with_id, [(true, Some(Delivery::Queued)), (false, None)]);
    });
}
