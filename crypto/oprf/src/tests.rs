use core::convert::Infallible;
use std::collections::VecDeque;

use data_encoding::HEXLOWER;
use rand_core::{TryCryptoRng, TryRng};
use serde::Deserialize;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// Randomness that a vector prescribes; asking for more than there is fails the test.
struct Scripted(VecDeque<u8>);

impl Scripted {
    /// A scalar below the order is what 64 bytes with zeros behind it are reduced to.
    fn scalar(scalar: &str) -> Self {
        Self(hex(scalar).into_iter().chain([0; 32]).collect())
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for byte in into {
            *byte = self.0.pop_front().expect("the vector prescribes all randomness");
        }
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

#[derive(Deserialize)]
struct File {
    seed: String,
    key_info: String,
    public_key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    input: String,
    blind: String,
    blinded: String,
    evaluated: String,
    proof: String,
    proof_random_scalar: String,
    output: String,
}

fn file() -> File {
    serde_json::from_str(include_str!("../vectors/rfc9497.json")).unwrap()
}

fn key(seed: u8) -> Key {
    Key::derive(&[seed; 32], b"test").unwrap()
}

/// A question and its answer; the numbers are no secrets here.
fn asked(key: &Key) -> (Question, Evaluation) {
    let question = Question::new(b"input", &mut Scripted::scalar(&"07".repeat(32))).unwrap();
    let blinded = Blinded::decode(&question.blinded()).unwrap();
    let evaluation = key.evaluate(&blinded, &mut Scripted::scalar(&"09".repeat(32)));
    (question, evaluation)
}

#[test]
fn rfc_9497_vectors_through_our_functions() {
    let file = file();
    let key = Key::derive(&array(&file.seed), &hex(&file.key_info)).unwrap();
    assert_eq!(key.public(), array(&file.public_key));
    assert_eq!(file.vectors.len(), 2);
    for v in file.vectors {
        let question = Question::new(&hex(&v.input), &mut Scripted::scalar(&v.blind)).unwrap();
        assert_eq!(question.blinded(), array(&v.blinded));
        let blinded = Blinded::decode(&hex(&v.blinded)).unwrap();
        let evaluation = key.evaluate(&blinded, &mut Scripted::scalar(&v.proof_random_scalar));
        assert_eq!((evaluation.element, evaluation.proof), (array(&v.evaluated), array(&v.proof)));
        let output = question.finish(&evaluation.element, &evaluation.proof, &key.public()).unwrap();
        assert_eq!(output[..], hex(&v.output));
    }
}

#[test]
fn an_answer_under_another_key_is_noticed() {
    let (question, honest) = asked(&key(1));
    let (_, other) = asked(&key(2));
    let public = key(1).public();
    assert!(question.finish(&honest.element, &honest.proof, &public).is_ok());
    assert_eq!(question.finish(&other.element, &other.proof, &public), Err(Refused::OtherKey));
    assert_eq!(question.finish(&other.element, &honest.proof, &public), Err(Refused::OtherKey));
    assert_eq!(question.finish(&honest.element, &honest.proof, &key(2).public()), Err(Refused::OtherKey));
}

#[test]
fn what_is_no_element_is_refused() {
    let (question, honest) = asked(&key(1));
    let public = key(1).public();
    for bytes in [&[0; 32][..], &[255; 32], &[1; 31], &[1; 33], &[]] {
        assert!(Blinded::decode(bytes).is_err(), "{bytes:?}");
        assert_eq!(question.finish(bytes, &honest.proof, &public), Err(Refused::Malformed));
    }
    assert_eq!(question.finish(&honest.element, &[255; 64], &public), Err(Refused::Malformed));
    assert_eq!(question.finish(&honest.element, &honest.proof, &[0; 32]), Err(Refused::Malformed));
}

#[test]
fn nothing_secret_prints() {
    let (question, _) = asked(&key(1));
    assert_eq!(format!("{:?} {question:?}", key(1)), "Key(…) Question(…)");
}
