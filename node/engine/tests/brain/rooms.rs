//! Groups of many, seen through the engine's door.

use livechat_engine::view::{Membership, Role};
use livechat_engine::{Command, CommandError, Reply};

use crate::circle::Circle;
use crate::rig::roomy;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
const D: usize = 3;

#[test]
fn three_people_talk_one_is_removed_and_comes_back() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob", "carol"]);
        let at = world.creates(A, "Bergfahrt", &[B, C]);
        world.settle(6);
        world.agree(&[A, B, C], at);
        assert_eq!(world.members(C, at), ["alice", "bob", "carol"], "nobody here is anybody's contact");
        world.says(B, at, "hi");
        world.settle(6);
        let carol = world.account(C);
        assert_eq!(world.does(A, Command::Remove { conversation: at, account: carol }), Ok(Reply::Done));
        world.settle(6);
        world.agree(&[A, B], at);
        assert_eq!(world.group(C, at).standing, Membership::Removed);
        world.says(A, at, "without carol");
        world.settle(6);
        let send = Command::Send { conversation: at, text: "still here".into(), id: None, reply_to: None };
        assert_eq!(world.does(C, send), Err(CommandError::NotMember));
        assert_eq!(world.does(A, Command::Invite { conversation: at, username: "carol".into() }), Ok(Reply::Done));
        world.settle(6);
        world.agree(&[A, B, C], at);
        world.says(C, at, "back");
        world.settle(6);
        assert_eq!(
            world.history(B, at),
            [
                "* alice opened Bergfahrt",
                "bob: hi",
                "* alice removed carol",
                "alice: without carol",
                "* alice added carol",
                "carol: back"
            ]
        );
        assert_eq!(
            world.history(C, at),
            ["* alice opened Bergfahrt", "bob: hi", "* alice removed carol", "* alice opened Bergfahrt", "carol: back"]
        );
        for who in 0..3 {
            world.people[who].restarts();
        }
        world.agree(&[A, B, C], at);
    });
}

#[test]
fn two_admins_at_once_both_get_what_they_want() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob", "carol"]);
        let at = world.creates(A, "Bergfahrt", &[B, C]);
        world.settle(6);
        let bob = world.account(B);
        world.does(A, Command::SetRole { conversation: at, account: bob, role: Role::Admin }).unwrap();
        world.settle(6);
        world.does(A, Command::SetTitle { conversation: at, title: "A".into() }).unwrap();
        world.does(B, Command::Remove { conversation: at, account: world.account(C) }).unwrap();
        world.says(A, at, "said meanwhile");
        world.says(B, at, "this too");
        world.settle(12);
        world.agree(&[A, B], at);
        let group = world.group(A, at);
        assert_eq!((&group.title[..], group.pending, group.waiting), ("A", 0, false));
        assert_eq!(world.members(A, at), ["alice", "bob"]);
        for who in [A, B] {
            let mut texts = world.texts(who, at);
            texts.sort();
            assert_eq!(texts, ["alice: said meanwhile", "bob: this too"]);
        }
        assert!(world.slots.values().any(|entries| entries.len() > 1), "they did collide");
    });
}

#[test]
fn roles_bind_everybody() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob", "carol", "dave"]);
        let at = world.creates(A, "Bergfahrt", &[B, C]);
        world.settle(6);
        let [alice, bob, carol, _] = [A, B, C, D].map(|w| world.account(w));
        for command in [
            Command::Invite { conversation: at, username: "dave".into() },
            Command::Remove { conversation: at, account: carol },
            Command::SetTitle { conversation: at, title: "mine".into() },
            Command::SetRole { conversation: at, account: bob, role: Role::Owner },
        ] {
            assert_eq!(world.does(B, command), Err(CommandError::NotAllowed));
        }
        assert_eq!(world.does(A, Command::Leave { conversation: at }), Err(CommandError::LastOwner));
        let title = Command::SetTitle { conversation: at, title: String::new() };
        assert_eq!(world.does(A, title), Err(CommandError::BadTitle));
        world.does(A, Command::SetRole { conversation: at, account: bob, role: Role::Owner }).unwrap();
        world.settle(6);
        world.does(A, Command::Leave { conversation: at }).unwrap();
        world.settle(12);
        world.agree(&[B, C], at);
        assert_eq!(world.members(C, at), ["bob", "carol"]);
        assert_eq!(world.group(A, at).standing, Membership::Left);
        assert_eq!(
            world.history(C, at),
            ["* alice opened Bergfahrt", "* alice made bob Owner", "* alice made alice Member", "* alice left"]
        );
        assert_ne!(alice, bob);
        let nobody = Command::Invite { conversation: at, username: "nobody".into() };
        world.does(B, nobody).unwrap();
        world.settle(6);
        let said = world.history(B, at);
        assert_eq!(said.last().unwrap(), "* not done: adding nobody: nobody has that name");
    });
}

/// Chatting goes on while the order service is away; the change is shown as waiting, and made when it is back, also
/// by a machine that was restarted meanwhile.
#[test]
fn the_order_service_may_be_away() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob", "carol"]);
        let at = world.creates(A, "Bergfahrt", &[B, C]);
        world.settle(6);
        world.orders = false;
        world.does(A, Command::SetTitle { conversation: at, title: "later".into() }).unwrap();
        world.settle(20);
        let group = world.group(A, at);
        assert_eq!((&group.title[..], group.pending, group.waiting), ("Bergfahrt", 1, true));
        world.says(A, at, "meanwhile");
        world.settle(6);
        assert_eq!(world.texts(B, at), ["alice: meanwhile"]);
        world.people[A].restarts();
        world.is_back(A);
        world.settle(6);
        world.orders = true;
        world.settle(70);
        world.agree(&[A, B, C], at);
        let group = world.group(C, at);
        assert_eq!((&group.title[..], group.pending, group.waiting), ("later", 0, false));
    });
}

/// Away for many epochs, and writing meanwhile: everything comes in order, and what was written is read.
#[test]
fn somebody_away_for_many_epochs_catches_up() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob", "carol"]);
        let at = world.creates(A, "0", &[B, C]);
        world.settle(6);
        world.leaves_the_net(C);
        world.carry();
        for epoch in 1..=9 {
            world.does(A, Command::SetTitle { conversation: at, title: epoch.to_string() }).unwrap();
            world.settle(2);
            world.says(B, at, &format!("in epoch {epoch}"));
            world.settle(2);
            if epoch == 8 {
                world.says(C, at, "written in a tunnel");
            }
        }
        world.is_back(C);
        world.settle(20);
        world.agree(&[A, B, C], at);
        let mut texts = world.texts(C, at);
        texts.retain(|t| t.starts_with("bob"));
        assert_eq!(texts, (1..=9).map(|n| format!("bob: in epoch {n}")).collect::<Vec<_>>());
        for who in [A, B] {
            let heard = world.texts(who, at).into_iter().filter(|t| t.starts_with("carol")).collect::<Vec<_>>();
            assert_eq!(heard, ["carol: written in a tunnel"]);
        }
    });
}
