//! What prints of a type that holds secrets: its name and public parts (P21).

mod support;

use data_encoding::{HEXLOWER, HEXUPPER};
use livechat_crypto::envelope::{EnvelopeKeys, HelloKeys};
use livechat_crypto::mls::Suite;
use livechat_crypto::mls::provider::{Crypto, Provider};
use livechat_crypto::phrase::RecoveryPhrase;
use livechat_wire::hello::Hello;
use support::{pair, with_stack};

#[test]
fn debug_is_redacted_for_every_key_type() {
    with_stack(|| {
        let (mut alice, mut bob, group) = pair(Suite::XWing);
        let secret = alice.session().envelope_secret(&group).unwrap();
        let sent = alice.session().encrypt(&group, b"canary content", b"canary aad").unwrap();
        let opened = bob.session().decrypt(&group, &sent.message).unwrap();
        let printed = [
            format!("{:?}", alice.identity),
            format!("{:?}", RecoveryPhrase::from_entropy(&[7; 32])),
            format!("{:?}", EnvelopeKeys::new(&secret.secret)),
            format!("{:?}", HelloKeys::new(&secret.secret)),
            format!("{:?}", Hello { secret: *secret.secret, fragments: 3, digest: [1; 32] }),
            format!("{secret:?}"),
            format!("{opened:?}"),
            format!("{:?}", alice.session()),
            format!("{:?}", Crypto::new(&mut alice.rng)),
            format!("{:?}", Provider::new(&mut alice.kv, &mut alice.rng)),
            format!("{:?}", bob.kv),
            format!("{group:?}"),
        ]
        .join("\n");
        insta::assert_snapshot!(printed);

        let secrets = alice.identity.encode();
        let parts = [&secrets[2..34], &secrets[34..66], &secrets[66..98], &secret.secret[..], b"canary"];
        for part in parts {
            for form in [HEXLOWER.encode(&part[..6]), HEXUPPER.encode(&part[..6]), format!("{:?}", &part[..6])] {
                let form = form.trim_matches(['[', ']']);
                assert!(!printed.contains(form), "printed {form}");
            }
        }
        assert!(!printed.contains("canary"));
    });
}
