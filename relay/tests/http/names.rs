//! P20: of 10,000 names that look like one of 1,000 registered ones, none can be registered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use livechat_relay::accounts::{Accounts, BeginError};
use livechat_relay::env::Env;
use livechat_relay::keys::Keys;
use livechat_relay::limits::Limits;
use livechat_relay::names::Username;
use livechat_relay::store::{Location, Store};
use livechat_wire::http::UsernameProblem;
use unicode_security::skeleton;

/// Characters by the prototype that Unicode's confusables give them; those that may stand in names first.
fn lookalikes() -> BTreeMap<String, Vec<char>> {
    let mut by_prototype: BTreeMap<String, Vec<char>> = BTreeMap::new();
    for c in (0..=0x0001_ffff_u32).filter_map(char::from_u32) {
        let mut buffer = [0; 4];
        let prototype: String = skeleton(c.encode_utf8(&mut buffer)).collect();
        by_prototype.entry(prototype).or_default().push(c);
    }
    by_prototype.retain(|_, all| all.len() > 1);
    for all in by_prototype.values_mut() {
        all.sort_by_cached_key(|c| Username::parse(&format!("{c}{c}")).is_err());
    }
    by_prototype
}

pub async fn p20_of_ten_thousand_confusables_none_can_be_registered() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system();
    let keys = Keys::load(dir.path(), &env).unwrap();
    let Store::Sqlite(db) = Store::open(&Location::Sqlite(dir.path().join("relay.db"))).await.unwrap() else {
        panic!()
    };
    let accounts = Accounts::new(Arc::new(db), keys, env, Limits::default(), "LiveChat".into()).unwrap();

    let names = registered();
    let held = futures::stream::iter(names.iter().cloned())
        .map(|name| accounts.begin_sign_up_owned(name))
        .buffer_unordered(64)
        .filter(|r| std::future::ready(r.is_ok()))
        .count()
        .await;
    assert_eq!(held, names.len());

    let attacks = attacks(&names);
    assert!(attacks.len() >= 10_000, "{}", attacks.len());
    let own: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let (mut taken, mut by_looks, mut refused, mut got) = (0, 0, 0, Vec::new());
    let mut results = futures::stream::iter(attacks.iter().take(10_000).cloned())
        .map(|attack| {
            let accounts = &accounts;
            async move { (attack.clone(), accounts.begin_sign_up(&attack).await) }
        })
        .buffer_unordered(64);
    while let Some((attack, result)) = results.next().await {
        match result {
            Err(BeginError::Name(UsernameProblem::Taken)) => {
                taken += 1;
                by_looks += usize::from(!own.contains(Username::parse(&attack).unwrap().as_str()));
            }
            Err(BeginError::Name(_)) => refused += 1,
            Err(e) => panic!("{e}"),
            Ok(_) => got.push(attack),
        }
    }
    println!(
        "P20: 10,000 confusables of {} names: {taken} taken ({by_looks} of them only for their looks), \
         {refused} no name at all, {} registered",
        names.len(),
        got.len()
    );
    assert_eq!(got, Vec::<String>::new());
    // Control: with no skeleton this many would have been registered.
    assert!(by_looks > 1_000, "only {by_looks} got as far as the skeleton: the attack is too weak");
    // Control: what looks like nobody is free.
    assert!(accounts.begin_sign_up("unlike-anybody-9").await.is_ok());
}

/// A thousand names that don't look like each other.
fn registered() -> Vec<String> {
    let first = ["alice", "bob", "carol", "dmitri", "elena", "fiona", "george", "hana", "igor", "julia"];
    let second = ["smith", "ivanov", "tanaka", "garcia", "muller", "rossi", "novak", "silva", "kim", "okafor"];
    let third = ["x", "y", "z", "q", "k", "w", "s", "t", "u", "v"];
    let mut names: Vec<String> = Vec::new();
    for a in first {
        for b in second {
            for c in third {
                names.push(format!("{a}.{b}-{c}"));
            }
        }
    }
    let scripts = ["дмитрий", "елена", "ольга", "νικος", "αθηνα", "משה", "محمد", "김철수", "山田太郎", "นภา"];
    names.truncate(1_000 - scripts.len());
    names.extend(scripts.map(str::to_owned));
    let skeletons: BTreeSet<String> = names.iter().map(|n| Username::parse(n).unwrap().skeleton()).collect();
    assert_eq!((names.len(), skeletons.len()), (1_000, 1_000));
    names
}

/// Names that UTS 39 calls confusable with a registered one, or that differ in case or width only.
fn attacks(names: &[String]) -> Vec<String> {
    let lookalikes = lookalikes();
    let own: BTreeSet<&String> = names.iter().collect();
    let mut attacks = BTreeSet::new();
    for (n, name) in names.iter().enumerate() {
        let chars: Vec<char> = name.chars().collect();
        let replacements: Vec<Vec<char>> = chars
            .iter()
            .map(|c| {
                let prototype: String = skeleton(&c.to_string()).collect();
                let all = lookalikes.get(&prototype).cloned().unwrap_or_default();
                all.into_iter().filter(|r| r != c).collect()
            })
            .collect();
        // One letter replaced, likely ones first, another letter in each name.
        for k in 0..chars.len() * 2 {
            let i = (n + k) % chars.len();
            if let Some(r) = replacements[i].get(n % 3 + k / chars.len()) {
                let mut attack = chars.clone();
                attack[i] = *r;
                attacks.insert(attack.iter().collect::<String>());
            }
        }
        // All letters replaced at once: whole-script lookalikes.
        for shift in 0..3 {
            let whole: String = chars
                .iter()
                .zip(&replacements)
                .map(|(c, rs)| if rs.is_empty() { *c } else { rs[(n + shift) % rs.len()] })
                .collect();
            attacks.insert(whole);
        }
        attacks.insert(name.replace("rn", "m").replace('m', "rn"));
        attacks.insert(name.replace('o', "0").replace('l', "1"));
        attacks.insert(name.to_uppercase());
    }
    attacks.into_iter().filter(|a| !own.contains(a)).collect()
}

trait Owned {
    async fn begin_sign_up_owned(&self, name: String) -> Result<(), BeginError>;
}

impl Owned for Accounts {
    async fn begin_sign_up_owned(&self, name: String) -> Result<(), BeginError> {
        self.begin_sign_up(&name).await.map(drop)
    }
}
