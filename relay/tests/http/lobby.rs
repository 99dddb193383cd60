use futures::future::join_all;
use livechat_wire::door::{DoorSeed, Doorkeeper, Link};
use livechat_wire::http::*;
use livechat_wire::{AccountId, RelayId};
use reqwest::Method;

use crate::world::World;

const LOBBY: &str = "/v1/lobby";

fn door(w: &World, n: u8) -> String {
    Link { relay: w.relay.id(), seed: DoorSeed([n; 32]), doorkeepers: Vec::new() }.to_string()
}

async fn put(w: &World, token: &str, link: String, replaces: Option<u64>) -> LobbyDoor {
    let request = PutLobby { link: SecretText(link), replaces };
    w.web.with(Method::PUT, LOBBY, token, Some(&request)).await.ok()
}

pub async fn one_lobby_whoever_founds_it(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bob").await);
    w.web.get(LOBBY).await.refused(401, ProblemCode::Unauthenticated);
    let none: LobbyDoor = w.web.get_with(LOBBY, alice.token()).await.ok();
    assert_eq!(none, LobbyDoor::default());
    let founders = (0..8).map(|n| put(&w, if n % 2 == 0 { alice.token() } else { bob.token() }, door(&w, n), None));
    let told = join_all(founders).await;
    let standing: LobbyDoor = w.web.get_with(LOBBY, bob.token()).await.ok();
    assert!(told.iter().all(|d| *d == standing), "{told:?}");
    assert_eq!((standing.version, standing.replaceable), (1, false));
    let early = put(&w, bob.token(), door(&w, 99), Some(1)).await;
    assert_eq!(early, standing, "it is alive");
}

pub async fn a_dead_lobby_is_replaced_and_a_live_one_is_not(w: World) {
    let alice = w.sign_up("alice").await;
    put(&w, alice.token(), door(&w, 1), None).await;
    let renew = async |version| -> LobbyDoor {
        let request = RenewLobby { version };
        w.web.with(Method::POST, "/v1/lobby/renewal", alice.token(), Some(&request)).await.ok()
    };
    w.clock.advance(23 * 3_600);
    assert_eq!(renew(1).await.version, 1);
    w.clock.advance(23 * 3_600);
    let kept = put(&w, alice.token(), door(&w, 2), Some(1)).await;
    assert_eq!((kept.version, kept.replaceable), (1, false));
    w.clock.advance(2 * 3_600);
    let dead: LobbyDoor = w.web.get_with(LOBBY, alice.token()).await.ok();
    assert!(dead.replaceable);
    let rivals = (2..6).map(|n| put(&w, alice.token(), door(&w, n), Some(1)));
    let told = join_all(rivals).await;
    assert!(told.iter().all(|d| *d == told[0] && d.version == 2 && !d.replaceable), "{told:?}");
    assert_eq!(renew(1).await, told[0], "whoever was in the old one learns of the new one");
}

pub async fn what_is_no_door_of_a_lobby(w: World) {
    let alice = w.sign_up("alice").await;
    let keeper = Doorkeeper { account: AccountId([1; 32]), username: "alice".into() };
    let elsewhere = Link { relay: RelayId([9; 32]), seed: DoorSeed([1; 32]), doorkeepers: Vec::new() };
    let kept = Link { relay: w.relay.id(), seed: DoorSeed([1; 32]), doorkeepers: vec![keeper] };
    for link in ["".to_owned(), "livechat:join:".to_owned(), elsewhere.to_string(), kept.to_string()] {
        let request = PutLobby { link: SecretText(link), replaces: None };
        let refused = w.web.with(Method::PUT, LOBBY, alice.token(), Some(&request)).await;
        refused.refused(400, ProblemCode::BadRequest);
    }
    let none: LobbyDoor = w.web.get_with(LOBBY, alice.token()).await.ok();
    assert_eq!(none, LobbyDoor::default());
}
