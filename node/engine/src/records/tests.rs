//! Every byte that outlives a process: what is stored, as bytes. A change here needs a new version and an old reader.

use livechat_crypto::identity::Identity;
use livechat_wire::EnvelopeId;
use livechat_wire::payload::Kind;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::tables::Table;
use livechat_crypto::kv::{Kv, MemoryKv, Namespace};

/// Stores, reads back and stores again: the same bytes. Returns them in lines, long runs shortened by their hash.
pub(crate) fn stored<T: Stored>(value: &T) -> String {
    let mut kv = MemoryKv::default();
    let bytes = |kv: &MemoryKv| kv.get(Namespace(Table::Seen as u8), b"k").unwrap().unwrap();
    Table::Seen.put(&mut kv, b"k", value).unwrap();
    let first = bytes(&kv);
    let again: T = Table::Seen.get(&kv, b"k").unwrap().unwrap();
    Table::Seen.put(&mut kv, b"k", &again).unwrap();
    assert_eq!(first, bytes(&kv));
    for cut in 0..first.len() {
        kv.put(Namespace(Table::Seen as u8), b"k", &first[..cut]).unwrap();
        assert!(Table::Seen.get::<T>(&kv, b"k").is_err(), "cut to {cut} of {}", first.len());
    }
    let hash = EnvelopeId::of(&first);
    let head: String = first.iter().take(96).map(|b| format!("{b:02x}")).collect();
    format!("{} bytes {hash}\n{head}", first.len())
}

fn fragment() -> Fragment {
    Fragment { kind: Kind::Mls, payload: [4; 8], index: 1, count: 3, data: vec![5; 20] }
}

#[test]
fn what_is_stored_is_laid_out_like_this() {
    let mut dice = ChaCha20Rng::seed_from_u64(1);
    let identity = Identity::generate(&mut dice);
    let relay = RelayId([6; 32]);
    let log = identity.found_log("alice", relay, 1_000).unwrap();
    let (group, conversation) = (GroupId([7; 16]), ConversationId([8; 32]));
    let own = MessageId([9; 16]);
    insta::assert_snapshot!(
        "me",
        stored(&Me { identity: identity.encode(), username: "alice".into(), relay, log: log.clone(), bucket_bits: 2 })
    );
    insta::assert_snapshot!(
        "contact",
        stored(&Contact {
            username: "alice".into(),
            log: log.clone(),
            confirmed: true,
            renamed: false,
            safety_number: "12345 67890".into(),
        })
    );
    insta::assert_snapshot!(
        "conversation",
        stored(&Conversation {
            peer: identity.account(),
            groups: vec![group, GroupId([1; 16])],
            sending: group,
            next: 17,
            last: Some(16),
            unread: 3,
            activity: 1_795_348_800_000,
            own_head: Some(own),
            other_head: None,
        })
    );
    let epoch =
        Epoch { number: 1, own_leaf: 0, leaves: vec![0, 1], secret: Zeroizing::new([2; 32]), since: 5, counter: 77 };
    insta::assert_snapshot!("group", stored(&Group { conversation, epochs: vec![epoch], unconfirmed: 2 }));
    let message = Message {
        id: own,
        author: identity.account(),
        sent_at: 1,
        received_at: 2,
        body: Body::Text("hi".into()),
        parents: vec![MessageId([3; 16])],
        own: Some((Delivery::Delivered, group)),
        gap: true,
    };
    insta::assert_snapshot!("message", stored(&message));
    let newer = Body::Unknown { kind: 40, data: vec![1, 2, 3] };
    insta::assert_snapshot!("message_of_a_newer_kind", stored(&Message { body: newer, own: None, ..message }));
    let parcel = |seal| Parcel { bucket: 3, seal, envelope: vec![1; wire::ENVELOPE], ids: vec![], accepted: false };
    let seals = [
        Seal::Hello { hello_key: Box::new([1; wire::XWING_PUBLIC]), hello: Box::new([2; wire::HELLO_PLAIN]) },
        Seal::Introduction { secret: Zeroizing::new([3; 32]), fragment: fragment() },
        Seal::Group { group, epoch: 1, counter: 5, fragment: fragment() },
        Seal::Late { secret: Zeroizing::new([6; 32]), leaf: 2, counter: 5, fragment: fragment() },
    ];
    let parcels = seals.into_iter().map(parcel).collect();
    insta::assert_snapshot!("queued", stored(&Queued { message: Some((conversation, 4)), parcels }));
    let hello = Hello { secret: Zeroizing::new([1; 32]), fragments: 6, arrived: 7, done: true };
    insta::assert_snapshot!("hello", stored(&hello));
    insta::assert_snapshot!("piece", stored(&Piece { arrived: 5, fragment: fragment() }));
    insta::assert_snapshot!("pooled", stored(&Pooled { arrived: 5, envelope: vec![3; wire::ENVELOPE] }));
    insta::assert_snapshot!("owed", format!("{}\n{}", stored(&Owed::Delivered), stored(&Owed::Read)));
}

#[test]
fn what_holds_secrets_does_not_print_them() {
    let secret = Zeroizing::new([0xab; 32]);
    let introduction = Seal::Introduction { secret: secret.clone(), fragment: fragment() };
    let late = Seal::Late { secret: secret.clone(), leaf: 0, counter: 0, fragment: fragment() };
    let epoch = Epoch { number: 1, own_leaf: 0, leaves: vec![], secret, since: 0, counter: 0 };
    let printed = format!("{introduction:?} {late:?} {epoch:?}");
    assert_eq!(printed, "Seal::Introduction(…) Seal::Late(…) Epoch { number: 1, .. }");
}
