use std::collections::BTreeSet;

use futures::future::join_all;
use livechat_wire::account::AccountLog;
use livechat_wire::http::*;
use livechat_wire::limits as wire;
use reqwest::Method;

use crate::world::{Answer, Person, World};

const KEYS: &str = "/v1/key-packages";

async fn publish(w: &World, token: &str, who: &Person, one_time: Vec<Bytes>, last_resort: Option<Bytes>) -> Answer {
    let request = PublishKeyPackages { bundle: Bytes(who.keys.bundle().encode()), one_time, last_resort };
    w.web.with(Method::PUT, KEYS, token, Some(&request)).await
}

fn packages(range: std::ops::Range<u8>) -> Vec<Bytes> {
    range.map(|n| Bytes(vec![n; 2_700])).collect()
}

pub async fn key_packages_go_round(w: World) {
    let alice = w.sign_up("alice").await;
    let claim = Claim { username: "Alice".into() };
    let bare: DirectoryEntry = w.web.post("/v1/directory/claim", &claim).await.ok();
    assert_eq!((bare.devices.len(), bare.devices[0].key_package.is_none()), (1, true));

    let last = Some(Bytes(vec![255; 100]));
    let stock: KeyPackageStock = publish(&w, alice.token(), &alice, packages(0..20), last).await.ok();
    assert_eq!(stock, KeyPackageStock { one_time: 20, last_resort: true });
    let entry: DirectoryEntry = w.web.get("/v1/directory/alice").await.ok();
    assert!(entry.devices[0].key_package.is_none(), "looking up takes nothing");
    assert_eq!(AccountLog::decode(&entry.log.0).unwrap().account(), alice.account());
    assert_eq!(entry.devices[0].bundle.0, alice.keys.bundle().encode());

    let claims = join_all((0..32).map(|_| w.web.post("/v1/directory/claim", &claim))).await;
    let mut once = BTreeSet::new();
    for c in &claims {
        let entry: DirectoryEntry = c.ok();
        let device = &entry.devices[0];
        let package = device.key_package.clone().unwrap();
        assert!(device.last_resort || once.insert(package.0), "handed out twice");
    }
    assert_eq!(once.len(), 20);
    let stock: KeyPackageStock = w.web.get_with(KEYS, alice.token()).await.ok();
    assert_eq!(stock, KeyPackageStock { one_time: 0, last_resort: true });
    let full: KeyPackageStock = publish(&w, alice.token(), &alice, packages(0..100), None).await.ok();
    let over: KeyPackageStock = publish(&w, alice.token(), &alice, packages(100..110), None).await.ok();
    assert_eq!((full.one_time, over.one_time), (100, 100));
    for name in ["nobody", "x", "not a name"] {
        let claim = Claim { username: name.into() };
        w.web.post("/v1/directory/claim", &claim).await.refused(404, ProblemCode::NotFound);
        let path = format!("/v1/directory/{}", name.replace(' ', "%20"));
        w.web.get(&path).await.refused(404, ProblemCode::NotFound);
    }
}

pub async fn what_is_no_publication(w: World) {
    let alice = w.sign_up("alice").await;
    let browser = alice.gets_in(&w, false).await;
    publish(&w, &browser.token.0, &alice, packages(0..1), None).await.refused(403, ProblemCode::DeviceRequired);
    w.web.get_with(KEYS, &browser.token.0).await.refused(403, ProblemCode::DeviceRequired);
    let too_many = publish(&w, alice.token(), &alice, (0..101).map(|n| Bytes(vec![n; 9])).collect(), None).await;
    too_many.refused(400, ProblemCode::BadRequest);
    for bad in [vec![], vec![0; wire::KEY_PACKAGE + 1]] {
        let bad = Bytes(bad);
        publish(&w, alice.token(), &alice, vec![bad.clone()], None).await.refused(400, ProblemCode::BadRequest);
        publish(&w, alice.token(), &alice, vec![], Some(bad)).await.refused(400, ProblemCode::BadRequest);
    }
    let bent = PublishKeyPackages { bundle: Bytes(vec![1; 9]), one_time: vec![], last_resort: None };
    w.web.with(Method::PUT, KEYS, alice.token(), Some(&bent)).await.refused(400, ProblemCode::BadRequest);
    let stock: KeyPackageStock = w.web.get_with(KEYS, alice.token()).await.ok();
    assert_eq!(stock, KeyPackageStock { one_time: 0, last_resort: false });
    // A hundred of the largest that fit one request.
    let large = (0..100).map(|n| Bytes(vec![n; 7_500])).collect();
    let stock: KeyPackageStock = publish(&w, alice.token(), &alice, large, None).await.ok();
    assert_eq!(stock.one_time, 100);
}
