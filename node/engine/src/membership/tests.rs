//! What is stored about groups, as bytes. A change here needs a new version and an old reader.

use livechat_crypto::identity::Identity;
use livechat_crypto::mls::{GroupId, Member};
use livechat_wire::content::FileKey;
use livechat_wire::door::{Door, DoorSeed};
use livechat_wire::group::{Charter, Role};
use livechat_wire::hello::{Introduction, WelcomeRest};
use livechat_wire::order::{Entry, Receipt, SealedCommit};
use livechat_wire::{AccountId, BlobId, ConversationId, SlotId, limits as wire};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::Renewal;
use super::records::{Admit, Evidence, Name, OwnLink, Pending, Room, Said, Seat, Snapshot, What, Wish};
use super::welcomes::{Arriving, Departing};
use crate::records::tests::stored;
use crate::view::Membership;

#[test]
fn what_is_stored_about_groups_is_laid_out_like_this() {
    let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
    let charter = Charter::new("Bergfahrt".into(), a, [9; 32]);
    let seat = Seat {
        member: Member { leaf: 3, account: b, device_key: [4; 32] },
        name: "bob".into(),
        here: true,
        bucket_seed: [5; 16],
    };
    let room = Room {
        group: GroupId([7; 16]),
        standing: Membership::Removed,
        epoch: 12,
        authenticator: vec![6; 32],
        charter,
        seats: vec![seat],
        forked: true,
    };
    insta::assert_snapshot!("room", stored(&room));
    let mut commit = Vec::new();
    commit.resize(wire::COMMIT_PADDING, 8);
    let commit = SealedCommit::new(commit).unwrap();
    let receipt = Receipt::sign(SlotId([1; 32]), 0, commit.hash(), 1_000, [2; 32], |_| [3; 64]);
    let wishes = vec![Wish { what: What::Renew, tries: 1 }];
    let entry = Entry { receipt, commit };
    let sealed = SealedCommit::new(vec![8; wire::COMMIT_PADDING]).unwrap();
    let pending = Pending { slot: SlotId([1; 32]), sealed, wishes: vec![0, 4], invited: vec![], shared: vec![9; 2] };
    let room = room.clone();
    let snapshot = Snapshot { taken: (1, 2), room, wishes, entry, pending: Some(pending.clone()), mls: None };
    insta::assert_snapshot!("snapshot", stored(&snapshot));
    let identity = Identity::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let bundle = Box::new(identity.bundle(1));
    let admit = Admit { door: [3; 32], account: b, username: "bob".into(), bundle, token: [4; 16] };
    let wishes = [
        What::Add { username: "bob".into() },
        What::Remove { account: b, asked: false },
        What::Remove { account: b, asked: true },
        What::SetRole { account: b, role: Role::Admin },
        What::SetTitle { title: "t".into() },
        What::Leave,
        What::SetTimer { seconds: 60 },
        What::Renew,
        What::OpenDoor { door: Door { key: [3; 32], made_by: a, expires: 5, uses: 2, used: 0 } },
        What::ShutDoor { key: [3; 32] },
        What::Admit(Box::new(admit)),
        What::Devices,
    ];
    let wishes = wishes.map(|what| stored(&Wish { what, tries: 2 }));
    insta::assert_snapshot!("wishes", wishes.join("\n"));
    let receipt =
        |n| Receipt { slot: SlotId([1; 32]), index: n, hash: [2; 32], time: 3, sequencer: [4; 32], signature: [5; 64] };
    insta::assert_snapshot!("pending", stored(&pending));
    insta::assert_snapshot!("order", format!("{}\n{}", stored(&receipt(0)), stored(&Evidence(receipt(1), receipt(2)))));
    insta::assert_snapshot!("renewal", stored(&Renewal { at: 7, said: 3, used: true }));
    let said = |position| stored(&Said { at: 77, position, content: vec![1, 2] });
    insta::assert_snapshot!("said", format!("{}\n{}\n{}", said(Some(4)), said(None), stored(&Name("bob".into()))));
    let (room, key) = (ConversationId([6; 32]), FileKey([1; 32]));
    let departing = Departing { room, key, invited: Vec::new(), shared: vec![2; 3] };
    insta::assert_snapshot!("departing", stored(&departing));
    let rest = WelcomeRest { blob: BlobId([1; 32]), size: 3, hash: [2; 32], key: FileKey([3; 32]) };
    let introduction = Introduction { log: vec![1; 3], bundle: vec![2; 4], welcome: vec![3; 5], rest: Some(rest) };
    insta::assert_snapshot!("arriving", stored(&Arriving { since: 5, introduction }));
    let own = OwnLink { conversation: ConversationId([1; 32]), seed: DoorSeed([2; 32]) };
    insta::assert_snapshot!("link", stored(&own));
    insta::assert_snapshot!("joining", stored(&super::joining::sample()));
}
