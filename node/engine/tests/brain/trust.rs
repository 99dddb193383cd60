//! Being sure whom one talks to: codes, safety numbers, and names that change hands.

use livechat_engine::view::{Contact, Standing};
use livechat_engine::{Command, CommandError, Reply};
use livechat_wire::AccountId;
use livechat_wire::verify::Claim;

use crate::rig::{Person, acquainted, added, roomy};

fn account(of: &Person) -> AccountId {
    of.engine.account().unwrap().account
}

fn contact(who: &Person, of: AccountId) -> Contact {
    who.engine.contacts(&who.kv).unwrap().into_iter().find(|c| c.account == of).expect("a contact")
}

fn shows(who: &mut Person, text: String) -> Result<Contact, CommandError> {
    let (_, effects) = who.does(Command::CheckCode { text });
    match effects.replies.into_iter().next() {
        Some((_, Ok(Reply::Contact(contact)))) => Ok(contact),
        Some((_, Err(e))) => Err(e),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_verifies_both_ways_and_only_who_shows_it() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (a, b) = (account(&alice), account(&bob));
        let carol = AccountId([9; 32]);
        let hers = alice.engine.claim(b).expect("a code for a contact");
        assert_eq!((hers, alice.engine.claim(carol)), (Claim { by: a, about: b }, None));
        assert!(shows(&mut bob, format!(" {}\n", hers.to_text().to_lowercase())).unwrap().verified);
        assert!(!contact(&alice, b).verified, "each looks for themselves");
        let his = bob.engine.claim(a).expect("a code").to_text();
        assert!(shows(&mut alice, his.clone()).unwrap().verified);
        alice.restarts();
        assert!(contact(&alice, b).verified && alice.engine.conversations(&alice.kv).unwrap()[0].verified);

        alice.did(Command::Verify { account: b, verified: false });
        assert!(!contact(&alice, b).verified);
        // Somebody in between shows themselves to both: neither code says what the other one sees.
        let forged = [Claim { by: carol, about: a }, Claim { by: b, about: carol }, Claim { by: carol, about: carol }];
        for claim in forged {
            assert_eq!(shows(&mut alice, claim.to_text()), Err(CommandError::CodeDiffers), "{claim:?}");
        }
        assert_eq!(shows(&mut alice, hers.to_text()), Err(CommandError::Oneself), "her own");
        assert_eq!(shows(&mut alice, Claim { by: a, about: a }.to_text()), Err(CommandError::Oneself));
        assert_eq!(shows(&mut alice, "LIVECHAT-VERIFY:AAAA".into()), Err(CommandError::BadCode));
        assert!(!contact(&alice, b).verified);
        assert_eq!(alice.fails(Command::Verify { account: carol, verified: true }), CommandError::UnknownConversation);
        let _ = alice.says(chat, "unverified ones can be written to all the same");
    });
}

/// Bob loses everything and signs up anew: alice hears of another account under his name.
fn changed_hands() -> (Person, Person, AccountId) {
    let (mut alice, bob, _) = acquainted("alice", "bob");
    let before = account(&bob);
    alice.did(Command::Verify { account: before, verified: true });
    let mut again = Person::renewed("bob");
    let hello = again.adds(&mut alice);
    let effects = alice.gets(&hello);
    let [lookup] = &effects.lookups[..] else { panic!("{effects:?}") };
    let _ = alice.is_told(lookup, Ok(again.entry()));
    (alice, again, before)
}

#[test]
fn nothing_is_said_to_new_keys_before_somebody_has_looked() {
    roomy(|| {
        let (mut alice, mut again, before) = changed_hands();
        let (b, chat) = (account(&again), alice.chat_with(&again));
        let new = contact(&alice, b);
        assert_eq!((new.username.as_str(), new.new_keys, new.verified), ("bob", true, false));
        assert_eq!(new.standing, Standing::Request, "they learn of nothing");
        let old = contact(&alice, before);
        assert!(old.username.starts_with("unproven-") && !old.verified, "what was compared counts no more");
        let send = || Command::Send { conversation: chat, text: "secret".into(), id: None, reply_to: None };
        assert_eq!(alice.fails(send()), CommandError::KeyChanged);
        assert_eq!(alice.fails(Command::SetTimer { conversation: chat, seconds: 60 }), CommandError::KeyChanged);
        assert!(alice.did(Command::Typing { conversation: chat, typing: true }).is_empty());
        alice.restarts();
        assert_eq!(alice.fails(send()), CommandError::KeyChanged, "a restart forgets nothing");

        let code = again.engine.claim(account(&alice)).expect("a code").to_text();
        let looked = shows(&mut alice, code).unwrap();
        assert!(looked.verified && !looked.new_keys && looked.standing == Standing::Accepted);
        let (_, said) = alice.says(chat, "so it is you");
        assert_eq!(added(&again.gets(&said.gossip)), ["so it is you"]);
    });
}

#[test]
fn accepting_new_keys_is_a_persons_own_choice() {
    roomy(|| {
        let (mut alice, mut again, _) = changed_hands();
        let chat = alice.chat_with(&again);
        assert!(alice.engine.conversations(&alice.kv).unwrap().iter().any(|c| c.id == chat && c.new_keys));
        alice.did(Command::Accept { conversation: chat });
        let new = contact(&alice, account(&again));
        assert_eq!((new.new_keys, new.verified, new.standing), (false, false, Standing::Accepted));
        let (_, said) = alice.says(chat, "on your word");
        assert_eq!(added(&again.gets(&said.gossip)), ["on your word"]);
    });
}

#[test]
fn whoever_only_claims_a_name_changes_nothing() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let b = account(&bob);
        alice.did(Command::Verify { account: b, verified: true });
        let mut impostor = Person::renewed("bob");
        let hello = impostor.adds(&mut alice);
        let effects = alice.gets(&hello);
        let [lookup] = &effects.lookups[..] else { panic!("{effects:?}") };
        let _ = alice.is_told(lookup, Ok(bob.entry()));
        let real = contact(&alice, b);
        assert_eq!((real.username.as_str(), real.verified, real.new_keys), ("bob", true, false));
        let other = contact(&alice, account(&impostor));
        assert!(other.username.starts_with("unproven-") && !other.new_keys);
        let (_, said) = alice.says(chat, "still you");
        assert_eq!(added(&bob.gets(&said.gossip)), ["still you"]);
    });
}

/// The account that a name leads to is looked at after a backup was given back, too.
#[test]
fn a_pin_from_a_backup_is_a_pin() {
    roomy(|| {
        let (alice, _, _) = acquainted("alice", "bob");
        let mut backup = livechat_engine::backup::Backup::default();
        let mut records = Vec::new();
        while let Some(part) = backup.next(&alice.engine, &alice.kv, alice.now).unwrap() {
            records.extend(part.into_iter().map(Ok::<_, livechat_wire::DecodeError>));
        }
        let mut again = Person::new("alice");
        livechat_engine::backup::restore(&mut again.kv, records).unwrap();
        again.restarts();
        let mut other = Person::renewed("bob");
        let (_, lookup) = again.looks_up("bob");
        let _ = again.is_told(&lookup, Ok(other.entry()));
        assert!(contact(&again, account(&other)).new_keys);
        let send = Command::Send { conversation: again.chat_with(&other), text: "x".into(), id: None, reply_to: None };
        assert_eq!(again.fails(send), CommandError::KeyChanged);
    });
}
