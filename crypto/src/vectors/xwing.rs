//! The X-Wing draft's examples.

use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};
use openmls_traits::crypto::OpenMlsCrypto;
use serde::Deserialize;

use super::{Scripted, XWING, crypto, file, hex, schedule};
use crate::kem;

#[derive(Deserialize)]
struct Vector {
    sk: String,
    eseed: String,
    ss: String,
    pk: String,
    ct: String,
}

#[test]
fn xwing_keys_encapsulations_and_secrets() {
    let vectors: Vec<Vector> = file("xwing.json");
    assert_eq!(vectors.len(), 3);
    for v in vectors {
        let (sk, pk, ct) = (hex(&v.sk), hex(&v.pk), hex(&v.ct));
        let private = <XWing as Kem>::PrivateKey::from_bytes(&sk).unwrap();
        assert_eq!(XWing::sk_to_pk(&private).to_bytes().as_slice(), pk);

        let (enc, sender) = kem::sender::<XWing>(&pk, b"info", &mut Scripted::new(&hex(&v.eseed))).unwrap();
        assert_eq!(enc, ct);
        let expected = schedule::export(schedule::XWING, &hex(&v.ss), b"info", b"context");
        let mut sent = [0; 32];
        sender.export(b"context", &mut sent).unwrap();
        assert_eq!(sent, expected);
        let received = crypto().hpke_setup_receiver_and_export(XWING, &ct, &sk, b"info", b"context", 32).unwrap();
        assert_eq!(*received, expected);
    }
}
