use data_encoding::HEXLOWER;
use serde::Deserialize;

use self::scripted::Scripted;
use super::*;

#[path = "../../src/vectors/scripted.rs"]
mod scripted;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// A scalar below the order is what 64 bytes with zeros behind it are reduced to.
fn scalar(scalar: &str) -> Scripted {
    Scripted::new(&[hex(scalar), vec![0; 32]].concat())
}

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
    let question = Question::new(b"input", &mut scalar(&"07".repeat(32))).unwrap();
    let blinded = Blinded::decode(&question.blinded()).unwrap();
    let evaluation = key.evaluate(&blinded, &mut scalar(&"09".repeat(32)));
    (question, evaluation)
}

#[test]
fn rfc_9497_vectors_through_our_functions() {
    let file = file();
    let key = Key::derive(&array(&file.seed), &hex(&file.key_info)).unwrap();
    assert_eq!(key.public(), array(&file.public_key));
    assert_eq!(file.vectors.len(), 2);
    for v in file.vectors {
        let question = Question::new(&hex(&v.input), &mut scalar(&v.blind)).unwrap();
        assert_eq!(question.blinded(), array(&v.blinded));
        let blinded = Blinded::decode(&hex(&v.blinded)).unwrap();
        let evaluation = key.evaluate(&blinded, &mut scalar(&v.proof_random_scalar));
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
