//! Envelopes: what is sealed opens, and only that, there, then, for them.

mod support;

use livechat_crypto::envelope::{Address, EnvelopeKeys, HelloKeys, OpenError, SealHelloError, open_hello, seal_hello};
use livechat_crypto::identity::Identity;
use livechat_wire::Envelope;
use livechat_wire::envelope::SIGNED;
use livechat_wire::hello::Hello;
use livechat_wire::limits;
use livechat_wire::payload::{Fragment, HEADER, Kind};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use support::Person;

const TO: Address = Address { bucket: 3, epoch: 2_057_613, ephemeral: false };

fn dice(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn fragment(data: &[u8]) -> Fragment {
    Fragment { kind: Kind::Mls, payload: [7; 8], index: 0, count: 1, data: data.to_vec() }
}

/// The envelope with one bit flipped, if its shape still holds.
fn flipped(envelope: &Envelope, bit: usize) -> Option<Envelope> {
    let mut bytes = *envelope.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Envelope::decode(&bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens(
        secret: [u8; 32], leaf: u32, counter: u64, bucket: u16, epoch: u32, ephemeral: bool, seed: u64,
        data in proptest::collection::vec(any::<u8>(), 0..=limits::BODY_PLAIN - HEADER),
    ) {
        let keys = EnvelopeKeys::new(&secret);
        let to = Address { bucket, epoch, ephemeral };
        let envelope = keys.seal(leaf, counter, &fragment(&data), to, &mut dice(seed));
        prop_assert_eq!(envelope.verify(), Ok(()));
        prop_assert_eq!((envelope.bucket(), envelope.epoch(), envelope.is_ephemeral()), (bucket, epoch, ephemeral));
        prop_assert_eq!(envelope.tag(), keys.tag(leaf, counter));
        prop_assert_eq!(keys.open(leaf, counter, &envelope), Ok(fragment(&data)));
    }

    #[test]
    fn nothing_opens_at_another_place_or_with_other_keys(secret: [u8; 32], leaf: u32, counter: u64, other: u64) {
        let keys = EnvelopeKeys::new(&secret);
        let envelope = keys.seal(leaf, counter, &fragment(b"hi"), TO, &mut dice(1));
        prop_assert_eq!(keys.open(leaf ^ 1, counter, &envelope), Err(OpenError::Sealed));
        prop_assert_eq!(keys.open(leaf, counter.wrapping_add(1), &envelope), Err(OpenError::Sealed));
        if other != counter {
            prop_assert_eq!(keys.open(leaf, other, &envelope), Err(OpenError::Sealed));
            prop_assert_ne!(keys.tag(leaf, other), keys.tag(leaf, counter));
        }
        let mut wrong = secret;
        wrong[31] ^= 1;
        prop_assert_eq!(EnvelopeKeys::new(&wrong).open(leaf, counter, &envelope), Err(OpenError::Sealed));
        prop_assert_ne!(EnvelopeKeys::new(&wrong).tag(leaf, counter), envelope.tag());
        // A conversation's secret and a hello's of the same bytes are worlds apart.
        prop_assert_eq!(HelloKeys::new(&secret).open(0, &envelope), Err(OpenError::Sealed));
        prop_assert_ne!(HelloKeys::new(&secret).tag(0), keys.tag(0, 0));
    }

    #[test]
    fn arbitrary_bytes_never_panic_the_openers(noise in proptest::collection::vec(any::<u8>(), limits::ENVELOPE)) {
        let mut bytes = noise;
        bytes[0] = livechat_wire::envelope::VERSION;
        bytes[1] = 0;
        bytes[58..60].fill(0);
        let envelope = Envelope::decode(&bytes).unwrap();
        prop_assert_eq!(EnvelopeKeys::new(&[1; 32]).open(0, 0, &envelope), Err(OpenError::Sealed));
        prop_assert_eq!(open_hello(&Person::new(1).identity, &envelope), None);
    }

    #[test]
    fn identities_decode_from_their_own_bytes_only(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        match Identity::decode(&noise) {
            Ok(identity) => prop_assert_eq!(identity.encode().to_vec(), noise),
            Err(_) => prop_assert!(noise.len() != 113 || noise[0] != 1),
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_before_the_signature_never_opens() {
    let keys = EnvelopeKeys::new(&[1; 32]);
    let envelope = keys.seal(2, 3, &fragment(b"hi"), TO, &mut dice(1));
    let opened = (0..SIGNED * 8).filter_map(|bit| flipped(&envelope, bit)).filter(|e| keys.open(2, 3, e).is_ok());
    assert_eq!(opened.count(), 0);
}

#[test]
fn a_flipped_bit_of_a_hello_never_opens() {
    let bob = Person::new(2);
    let hello = Hello { secret: [5; 32], fragments: 4, digest: [6; 32] };
    let envelope = seal_hello(bob.identity.hello_key(), &hello, TO, &mut dice(1)).unwrap();
    // Each costs a decapsulation, so every 13th: all bytes, all bit positions.
    let opened = (0..SIGNED * 8)
        .step_by(13)
        .filter_map(|bit| flipped(&envelope, bit))
        .filter(|e| open_hello(&bob.identity, e).is_some());
    assert_eq!(opened.count(), 0);
}

#[test]
fn sealing_again_repeats_no_key_and_looks_unrelated_but_for_the_tag() {
    let keys = EnvelopeKeys::new(&[1; 32]);
    let mut rng = dice(1);
    let (one, two) = (keys.seal(0, 0, &fragment(b"hi"), TO, &mut rng), keys.seal(0, 0, &fragment(b"hi"), TO, &mut rng));
    assert_ne!(one.pk1(), two.pk1());
    assert_ne!(one.body(), two.body());
    assert_eq!(keys.open(0, 0, &one), keys.open(0, 0, &two));
}

#[test]
fn a_hello_opens_for_its_recipient_alone_and_carries_the_introduction() {
    let (alice, bob) = (Person::new(1), Person::new(2));
    let hello = Hello { secret: [5; 32], fragments: 4, digest: [6; 32] };
    let mut rng = dice(1);
    let envelope = seal_hello(bob.identity.hello_key(), &hello, TO, &mut rng).unwrap();
    assert_eq!(envelope.verify(), Ok(()));
    let opened = open_hello(&bob.identity, &envelope).unwrap();
    assert_eq!(opened, hello);
    assert_eq!(open_hello(&alice.identity, &envelope), None);
    assert_ne!(envelope.tag(), seal_hello(bob.identity.hello_key(), &hello, TO, &mut rng).unwrap().tag());

    let (sender, recipient) = (HelloKeys::new(&hello.secret), HelloKeys::new(&opened.secret));
    for index in 0..4 {
        let fragment = Fragment { kind: Kind::Introduction, payload: [1; 8], index, count: 4, data: vec![9; 1_000] };
        let envelope = sender.seal(index, &fragment, TO, &mut rng);
        assert_eq!(envelope.tag(), recipient.tag(index));
        assert_eq!(recipient.open(index, &envelope), Ok(fragment));
        assert_eq!(recipient.open(index + 1, &envelope), Err(OpenError::Sealed));
    }
}

#[test]
fn a_hello_key_that_is_none_is_refused() {
    let hello = Hello { secret: [5; 32], fragments: 4, digest: [6; 32] };
    // All ones is no ML-KEM key: its coefficients exceed the modulus. All zeros is one, with a worthless X25519 half.
    for key in [[0xff; limits::XWING_PUBLIC], [0; limits::XWING_PUBLIC]] {
        assert_eq!(seal_hello(&key, &hello, TO, &mut dice(1)), Err(SealHelloError::HelloKey));
    }
}

#[test]
fn passing_envelopes_are_known_to_members_only_and_use_no_number() {
    let (keys, others) = (EnvelopeKeys::new(&[1; 32]), EnvelopeKeys::new(&[2; 32]));
    let mut dice = ChaCha20Rng::seed_from_u64(3);
    let fragment = Fragment { kind: Kind::Mls, payload: [1; 8], index: 0, count: 1, data: vec![7; 40] };
    let to = Address { bucket: 1, epoch: 2, ephemeral: true };
    let [one, two] = [0; 2].map(|_| keys.seal_passing(&fragment, to, &mut dice));
    assert_ne!(one.tag(), two.tag(), "nothing links two of them");
    for envelope in [&one, &two] {
        assert!(envelope.is_ephemeral() && keys.is_passing(envelope) && !others.is_passing(envelope));
        assert_eq!(keys.open_passing(envelope), Ok(fragment.clone()));
        assert_eq!(others.open_passing(envelope), Err(OpenError::Sealed));
    }
    let numbered = keys.seal(0, 0, &fragment, to, &mut dice);
    assert!(!keys.is_passing(&numbered));
    assert_eq!(keys.open_passing(&numbered), Err(OpenError::Sealed));
    assert_eq!(keys.open(0, 0, &one), Err(OpenError::Sealed));
}
