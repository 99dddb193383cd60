//! No type that holds a secret prints it: the sources are searched for secrets under a derived `Debug` (P21).
//!
//! What a secret is, is told by what it is called. A field called like one must have a type that prints nothing of it
//! ([`GUARDED`] ones do, by a `Debug` of their own), and so must the only field of a type called like one.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "this test reads the sources, and fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Where people's and relays' secrets are, from this crate.
const SOURCES: [&str; 7] =
    ["src", "oprf/src", "wire/src", "../node/engine/src", "../node/net/src", "../node/src", "../relay/src"];

/// Types that hold secrets, or may, and print by hand. [`debug_is_redacted_for_every_key_type`] and its neighbours in
/// other crates look at what they print.
///
/// [`debug_is_redacted_for_every_key_type`]: ../redaction/fn.debug_is_redacted_for_every_key_type.html
const GUARDED: [&str; 27] = [
    "Identity",
    "DatabaseKey",
    "Draft",
    "Answer",
    "Vault",
    "Opened",
    "EpochSecret",
    "EnvelopeKeys",
    "HelloKeys",
    "RecoveryPhrase",
    "Key",
    "Question",
    "FileKey",
    "DoorSeed",
    "Bytes",
    "SecretText",
    "Request",
    "BackedUp",
    "GroupLink",
    "SignUpTicket",
    "SignedUp",
    "RecoveryCodes",
    "TotpSecret",
    "MongoUrl",
    "RecoveryCode",
    "Keys",
    "Sealer",
];

/// Types whose contents print as they are.
const PLAIN: [&str; 9] =
    ["String", "Vec<u8>", "[u8;", "Zeroizing", "Box<[u8]>", "SigningKey", "StaticSecret", "&'astr", "&'a[u8]"];

/// What secrets are called, as parts of names between underscores.
const SECRET: [&str; 26] = [
    "secret",
    "secrets",
    "seed",
    "private",
    "phrase",
    "passphrase",
    "password",
    "token",
    "code",
    "codes",
    "entropy",
    "setup",
    "recovery",
    "psk",
    "knock",
    "words",
    "otpauth",
    "uri",
    "link",
    "key",
    "keys",
    "identity",
    "ticket",
    "seal",
    "exporter",
    "ikm",
];

/// Fields called so that hold nothing secret, each with why. Without a type's name: wherever they stand.
const PUBLIC: [(&str, &str); 14] = [
    ("device_key", "the public half, which stands in the account's log"),
    ("identity_key", "the public half, which stands in the account's log"),
    ("hello_key", "the public half, which whoever writes first needs"),
    ("key_package", "made to be handed out"),
    ("bucket_seed", "which bucket somebody reads, as every contact is told"),
    ("Door.key", "the public half of a link, which stands in a group's charter"),
    ("What.key", "the public half of a link, which stands in a group's charter"),
    ("Knock.token", "tells which knock an answer is to; sealed on the way, and worth nothing alone"),
    ("Answer.token", "the same"),
    ("Admit.token", "the same"),
    ("Joining.token", "the same"),
    ("DeviceCode.0", "shown to whoever stands before the device; it names a public key"),
    ("OwnerKey.0", "under which the relay counts somebody's files; a name, which opens nothing"),
    ("Query.words", "what somebody looks for; nothing prints a query but its tests"),
];

/// Fields that people are shown, with the same.
const SHOWN: [(&str, &str); 2] = [
    ("DeviceTicket.code", "shown to whoever stands before the device; it names a public key"),
    ("SafetyCode.code", "names public keys; shown to whoever compares them"),
];

/// A type as it is declared: its name, whether `Debug` is derived, and its fields with their types.
struct Declared {
    name: String,
    derived: bool,
    fields: Vec<(String, String)>,
}

#[test]
fn no_secret_stands_under_a_derived_debug() {
    let all = declared();
    assert!(all.len() > 300, "only {} types were found", all.len());
    let bad: Vec<_> = all.iter().filter(|d| d.derived).flat_map(blabs).collect();
    assert!(
        bad.is_empty(),
        "give these a Debug that doesn't print them, or say in PUBLIC why it may:\n{}",
        bad.join("\n")
    );
}

#[test]
fn types_that_hold_secrets_print_by_hand() {
    let all = declared();
    for name in GUARDED {
        // Of several types with one name, at least the secret one is written by hand.
        assert!(all.iter().any(|d| d.name == name && !d.derived), "{name} is gone, or derives Debug");
    }
}

/// The control: what would be refused is.
#[test]
fn a_secret_under_a_derived_debug_is_noticed() {
    let noticed = |source: &str| parse(source).iter().filter(|d| d.derived).flat_map(blabs).count();
    for bad in [
        "#[derive(Clone, Debug)]\npub struct A {\n    /// Opens it.\n    pub file_key: [u8; 32],\n}",
        "#[derive(Debug)]\nstruct RoomSecret(Zeroizing<[u8; 32]>);",
        "#[derive(Debug)]\n#[serde(deny)]\npub(crate) enum E { A(u8), B { at: u64, token: Option<String> } }",
        "#[derive(Debug)] struct Codes { recovery_codes: Vec<String> }",
    ] {
        assert_eq!(noticed(bad), 1, "{bad}");
    }
    for good in [
        "#[derive(Clone)]\npub struct A {\n    pub file_key: [u8; 32],\n}",
        "#[derive(Debug)] struct A { token: Option<SecretText>, public_key: [u8; 32], keyboard: String }",
        "// #[derive(Debug)] struct A { token: String }",
    ] {
        assert_eq!(noticed(good), 0, "{good}");
    }
}

/// The fields of a type that print what they shouldn't.
fn blabs(declared: &Declared) -> Vec<String> {
    let named = |field: &str| {
        let called = if field.parse::<usize>().is_ok() { snake(&declared.name) } else { field.to_owned() };
        let parts: Vec<_> = called.split('_').collect();
        !parts.contains(&"public") && parts.iter().any(|p| SECRET.contains(p))
    };
    let fields = declared.fields.iter().filter(|(name, of)| named(name) && PLAIN.iter().any(|p| of.contains(p)));
    let called = fields.map(|(name, of)| (format!("{}.{name}", declared.name), of));
    let public = |n: &str| {
        PUBLIC.iter().chain(&SHOWN).any(|(p, _)| n == *p || n.split_once('.').is_some_and(|(_, field)| field == *p))
    };
    called.filter(|(n, _)| !public(n)).map(|(n, of)| format!("{n}: {of}")).collect()
}

/// `RoomSecret` as `room_secret`.
fn snake(name: &str) -> String {
    name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

fn declared() -> Vec<Declared> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(source), &mut files);
    }
    files.iter().flat_map(|f| parse(&fs::read_to_string(f).unwrap())).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Every struct and enum of a source, as far as this needs to know them. Comments don't count.
fn parse(source: &str) -> Vec<Declared> {
    // An address in a text has its slashes behind a colon.
    let plain = |l: &str| match l.match_indices("//").find(|(at, _)| !l[..*at].ends_with(':')) {
        Some((at, _)) => l[..at].to_owned(),
        None => l.to_owned(),
    };
    let code = source.lines().map(plain).collect::<Vec<_>>().join("\n");
    let mut all = Vec::new();
    for word in ["struct ", "enum "] {
        for (at, _) in code.match_indices(word) {
            let before = &code[..at];
            // A word of its own, and not in a text.
            if before.chars().next_back().is_some_and(|c| !c.is_whitespace() && c != ')') {
                continue;
            }
            let rest = &code[at + word.len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(open) = rest.find(['{', '(', ';']) else { continue };
            if name.is_empty() || !name.starts_with(char::is_uppercase) || rest[open..].starts_with(';') {
                continue;
            }
            all.push(Declared { derived: derives_debug(before), fields: fields(&rest[open..]), name });
        }
    }
    all
}

/// Whether the attributes right before a declaration derive `Debug`.
fn derives_debug(before: &str) -> bool {
    let begin = before.rfind([';', '}', '{']).map_or(0, |at| at + 1);
    before[begin..].split("derive(").skip(1).any(|d| d.split(')').next().unwrap_or_default().contains("Debug"))
}

/// Fields of a body that begins with its bracket: `name: type` at any depth of it, and a tuple's by their number.
fn fields(body: &str) -> Vec<(String, String)> {
    let (mut depth, mut angles, mut part, mut parts) = (0_usize, 0_usize, String::new(), Vec::new());
    for c in body.chars() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            '<' | '[' => angles += 1,
            '>' | ']' => angles = angles.saturating_sub(1),
            _ => {}
        }
        if matches!(c, '{' | '(' | '}' | ')') || (c == ',' && angles == 0) {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
        if depth == 0 {
            break;
        }
    }
    let mut fields = Vec::new();
    for (n, part) in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).enumerate() {
        // Attributes come before the field on lines of their own.
        let part = part.rsplit("]\n").next().unwrap_or(part).trim().trim();
        let part = part.strip_prefix("pub ").unwrap_or(part);
        let of = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        match part.split_once(": ") {
            Some((name, kind)) => fields.push((name.trim().to_owned(), of(kind))),
            None if body.starts_with('(') => fields.push((n.to_string(), of(part))),
            None => {}
        }
    }
    fields
}
