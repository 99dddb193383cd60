//! People who change their names: everybody whom they talk to learns of it from them, and nobody gets a name that
//! another one has (PROTOCOL ).

use livechat_engine::view::{MessageBody, Notice};
use livechat_sim::{World, mins, on_big_stack, secs};

fn notices(history: Vec<livechat_engine::view::Message>) -> Vec<(String, Notice)> {
    let notice = |m: livechat_engine::view::Message| match m.body {
        MessageBody::Notice { notice } => Some((m.author_name, notice)),
        _ => None,
    };
    history.into_iter().filter_map(notice).collect()
}

fn renamed(was: &str, now: &str) -> Notice {
    Notice::Renamed { was: was.to_owned(), now: now.to_owned() }
}

fn titles(world: &World, who: &str) -> Vec<String> {
    let mut titles: Vec<_> = world.conversations(who).into_iter().map(|c| c.title).collect();
    titles.sort();
    titles
}

#[test]
fn everybody_learns_the_new_name_and_nothing_else_changes() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "carol"], 1);
        world.person("alice").adds("bob");
        world.person("bob").founds("hike", &["alice", "carol"]);
        world.run_for(secs(20));
        world.person("alice").says("hi").to("bob");
        world.person("alice").links("phone");
        world.run_for(mins(2));
        let number =
            |w: &World| w.contacts("bob").into_iter().find(|c| c.username.starts_with("ali")).map(|c| c.safety_number);
        let before = number(&world);
        assert!(before.is_some());
        world.person("alice").renames("alicia");
        world.run_for(mins(5));

        assert_eq!(number(&world), before);
        assert_eq!(
            notices(world.history("bob", "alicia")).pop(),
            Some(("alicia".to_owned(), renamed("alice", "alicia")))
        );
        let told = notices(world.group_history("carol", "hike"));
        assert_eq!(told.iter().filter(|(_, n)| *n == renamed("alice", "alicia")).count(), 1, "{told:?}");
        for who in ["alice", "phone", "bob", "carol"] {
            let names: Vec<_> =
                world.group(who, "hike").expect("in it").members.into_iter().map(|m| m.username).collect();
            assert_eq!(names, ["alicia", "bob", "carol"], "as {who} sees it");
        }
        world.person("phone").says("it is me").to("bob");
        world.person("bob").says("nice name").to("alicia");
        world.run_for(secs(20));
        assert_eq!(world.texts("bob", "alicia"), ["hi", "it is me"]);
        assert_eq!(world.texts("alice", "bob"), ["nice name"]);
        // Whoever looks for the new name finds the chat that there is; the old one leads nowhere.
        world.person("bob").adds("alicia");
        world.run_for(secs(10));
        assert_eq!(titles(&world, "bob"), ["alicia", "hike"]);
        world.person("carol").adds("alice");
        world.run_for(secs(10));
        assert_eq!(world.person("carol").was_refused().len(), 1, "nobody is called that");
    });
}

#[test]
fn a_name_that_the_relay_never_gave_takes_nobodys_place() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "mallory"], 2);
        world.person("alice").adds("bob");
        world.person("alice").adds("mallory");
        world.run_for(secs(20));
        world.person("mallory").says("hello").to("alice");
        world.run_for(mins(2));
        world.person("mallory").claims_name("bob");
        world.run_for(mins(5));
        assert_eq!(titles(&world, "alice"), ["bob", "mallory"], "bob is bob");
        assert!(notices(world.history("alice", "mallory")).is_empty());
        assert!(world.contacts("alice").iter().all(|c| !c.new_keys), "nor is anybody warned about him");
    });
}

#[test]
fn whoever_gets_a_name_that_somebody_claimed_is_looked_at_first() {
    on_big_stack(|| {
        let mut world = World::of(&["alice", "bob", "mallory"], 3);
        world.person("alice").adds("mallory");
        world.run_for(secs(20));
        world.person("mallory").says("hello").to("alice");
        world.run_for(mins(2));
        world.person("mallory").claims_name("bob");
        world.run_for(mins(5));
        assert_eq!(titles(&world, "alice"), ["bob"], "it is what mallory says");
        // The directory says otherwise as soon as it is asked.
        world.person("alice").adds("bob");
        world.run_for(secs(20));
        let contacts = world.contacts("alice");
        let bob = contacts.iter().find(|c| c.username == "bob").expect("the real one");
        assert!(bob.new_keys, "the name led to another account before: {contacts:?}");
        assert!(contacts.iter().any(|c| c.username.starts_with("unproven-")), "{contacts:?}");
    });
}
