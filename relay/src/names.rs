//! Usernames: one spelling for each, and no two that look alike (SEED B12, P20).
//!
//! A name is enforced by PRECIS UsernameCaseMapped (RFC 8265 §3.3), then held against UTS 39: letters allowed in
//! identifiers, of one script, and a skeleton nobody else has.

use livechat_wire::http::UsernameProblem;
use livechat_wire::limits;
use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Profile;
use unicode_security::{GeneralSecurityProfile, MixedScript, skeleton};

/// Names of roles that people trust. Compared by skeleton, so `adm1n` is one too.
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "all",
    "anonymous",
    "everyone",
    "guest",
    "help",
    "helpdesk",
    "here",
    "hostmaster",
    "info",
    "livechat",
    "lobby",
    "me",
    "moderator",
    "myself",
    "nobody",
    "noreply",
    "no-reply",
    "null",
    "official",
    "operator",
    "owner",
    "postmaster",
    "relay",
    "root",
    "security",
    "self",
    "service",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "undefined",
    "webmaster",
    "you",
];

/// A name in its one spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Normalises what was typed.
    ///
    /// # Errors
    /// What is wrong with it, reserved names included. Whether it is taken is the store's to say.
    pub fn parse(typed: &str) -> Result<Self, UsernameProblem> {
        let name = Self::parse_any(typed)?;
        let skeleton = name.skeleton();
        if RESERVED.iter().any(|r| skeleton_of(r) == skeleton) {
            return Err(UsernameProblem::Reserved);
        }
        Ok(name)
    }

    /// Like [`Username::parse`] for looking somebody up: an operator may have given a reserved name away.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse_any(typed: &str) -> Result<Self, UsernameProblem> {
        // Before any table is asked: nothing this long becomes a name, whatever it is made of.
        if typed.len() > 4 * limits::USERNAME {
            return Err(UsernameProblem::TooLong);
        }
        if typed.chars().count() < limits::USERNAME_MIN_CHARS {
            return Err(UsernameProblem::TooShort);
        }
        let name = enforce(typed).ok_or(UsernameProblem::Forbidden)?;
        match name.chars().count() {
            n if n < limits::USERNAME_MIN_CHARS => return Err(UsernameProblem::TooShort),
            n if n > limits::USERNAME_MAX_CHARS || name.len() > limits::USERNAME => {
                return Err(UsernameProblem::TooLong);
            }
            _ => {}
        }
        let mut last = None;
        for c in name.chars() {
            let separator = matches!(c, '-' | '_' | '.');
            // Separators join letters: none first, last or beside another, where they hide or turn into options.
            let misplaced = separator && last.is_none_or(|l| matches!(l, '-' | '_' | '.'));
            if misplaced || !(separator || (c.is_alphanumeric() && c.identifier_allowed()) || is_mark(c, last)) {
                return Err(UsernameProblem::Forbidden);
            }
            last = Some(c);
        }
        if last.is_some_and(|l| matches!(l, '-' | '_' | '.')) {
            return Err(UsernameProblem::Forbidden);
        }
        if !name.as_str().is_single_script() {
            return Err(UsernameProblem::MixedScripts);
        }
        Ok(Self(name))
    }

    /// The spelling that is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like: equal for names that can be taken for each other.
    #[must_use]
    pub fn skeleton(&self) -> String {
        skeleton_of(&self.0)
    }
}

impl std::fmt::Debug for Username {
    /// Names stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Username(…)")
    }
}

/// A combining mark after a letter: part of writing in many scripts, and allowed in identifiers.
fn is_mark(c: char, last: Option<char>) -> bool {
    // Joiners are invisible, so they would make two names of one.
    let joiner = matches!(c, '\u{200c}' | '\u{200d}');
    last.is_some() && !joiner && c.identifier_allowed() && !c.is_ascii()
}

/// Enforces until nothing changes (RFC 8264 §7 asks for it): a profile isn't idempotent by itself.
fn enforce(typed: &str) -> Option<String> {
    let profile = UsernameCaseMapped::new();
    let mut name = typed.to_owned();
    for _ in 0..4 {
        let next = profile.enforce(name.as_str()).ok()?.into_owned();
        if next == name {
            return Some(name);
        }
        name = next;
    }
    None
}

/// The UTS 39 skeleton of the lower- *and* the upper-case form, taken again until it stands. Two names that look alike
/// in either case are one: `0` is `O` is `o`, `1` is `l` is `I` is `i`, however somebody chooses to write them.
fn skeleton_of(name: &str) -> String {
    let lower = |s: &str| skeleton(s).collect::<String>().to_lowercase();
    let mut now = lower(name);
    for _ in 0..4 {
        let next = lower(&now.to_uppercase());
        if next == now {
            break;
        }
        now = next;
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(typed: &str) -> Option<UsernameProblem> {
        Username::parse(typed).err()
    }

    #[test]
    fn spellings_meet() {
        for (typed, stored) in [
            ("Alice", "alice"),
            ("ＡＬＩＣＥ", "alice"),
            ("JOSE\u{301}", "josé"),
            ("Straße", "straße"),
            ("ΆΛΦΑ", "άλφα"),
        ] {
            assert_eq!(Username::parse(typed).unwrap().as_str(), stored, "{typed}");
        }
    }

    #[test]
    fn people_of_many_scripts_have_names() {
        for name in ["дмитрий", "山田太郎", "やまだ太郎", "김철수", "محمد", "नरेंद्र", "שרה", "สมชาย", "bob-2_a.b"]
        {
            assert_eq!(problem(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_not_a_name() {
        use UsernameProblem::*;
        for (typed, why) in [
            ("", TooShort),
            ("a", TooShort),
            (&"a".repeat(33), TooLong),
            (&"я".repeat(33), TooLong),
            ("a b", Forbidden),
            ("a@b", Forbidden),
            ("a/b", Forbidden),
            ("-ab", Forbidden),
            ("ab.", Forbidden),
            ("a..b", Forbidden),
            ("a\u{200d}b", Forbidden),
            ("a\u{202e}b", Forbidden),
            ("a\0b", Forbidden),
            ("😀😀", Forbidden),
            ("al\u{456}ce", MixedScripts),
            ("pаypal", MixedScripts),
            ("admin", Reserved),
            ("Adm1n", Reserved),
            ("r00t", Reserved),
            ("$ne", Forbidden),
        ] {
            assert_eq!(problem(typed), Some(why), "{typed:?}");
        }
    }

    #[test]
    fn lookalikes_share_a_skeleton() {
        for (a, b) in [
            ("bob", "b0b"),
            ("alice", "a1ice"),
            ("modern", "modem"),
            ("раре", "pape"),
            ("ivan", "ıvan"),
            ("alice", "aiice"),
        ] {
            assert_eq!(skeleton_of(a), skeleton_of(b), "{a} {b}");
        }
        assert_ne!(skeleton_of("alice"), skeleton_of("alina"));
    }

    #[test]
    fn parsing_is_stable() {
        for name in ["alice", "josé", "дмитрий", "नरेंद्र"] {
            let once = Username::parse(name).unwrap();
            assert_eq!(Username::parse(once.as_str()).unwrap(), once);
        }
    }
}
