//! Files that go along with a copy: those that are on this device, each under a harmless name of its own.

use std::collections::{BTreeMap, HashMap};

use unicode_normalization::UnicodeNormalization as _;

use super::walk::{Step, Walk};
use crate::api::{ConversationId, Error, MessageBody, Request, Response};
use crate::files::names;

/// The folder beside the text that they are in.
pub const FOLDER: &str = "files";

/// The file of a message, and what it is called in the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Where the message is.
    pub conversation: ConversationId,
    /// Which one.
    pub position: u64,
    /// A name that leads nowhere, and that no other file of this copy has on any system (PROTOCOL.md R-115).
    pub name: String,
}

/// Goes through what is to be copied before the copy is made, and remembers what was taken along.
#[derive(Debug)]
pub struct Attaching {
    walk: Walk,
    /// How often each name was wanted, as file systems compare them that know neither case nor how letters are composed.
    wanted: HashMap<String, u32>,
    taken: Taken,
}

/// The names of files that are in a copy.
#[derive(Debug, Default)]
pub struct Taken(BTreeMap<(ConversationId, u64), String>);

impl Attaching {
    /// Of one conversation, or of all.
    #[must_use]
    pub fn new(conversation: Option<ConversationId>) -> Self {
        Self { walk: Walk::new(conversation), wanted: HashMap::new(), taken: Taken::default() }
    }

    /// The next files that are here; none at the end. An empty list is no end.
    ///
    /// # Errors
    /// As of [`super::Export::next`].
    pub async fn next<E, F>(&mut self, ask: impl Fn(Request) -> F) -> Result<Option<Vec<Attached>>, E>
    where
        E: From<Error>,
        F: Future<Output = Result<Response, E>>,
    {
        let (conversation, messages) = match self.walk.next(ask).await? {
            Some(Step::Page(conversation, messages)) => (conversation.id, messages),
            Some(Step::Begin(_)) => return Ok(Some(Vec::new())),
            None => return Ok(None),
        };
        let here = messages.iter().filter_map(|m| match &m.body {
            MessageBody::File { name, here: true, .. } => Some((m.position, name)),
            _ => None,
        });
        Ok(Some(here.map(|(position, name)| Attached { conversation, position, name: self.name(name) }).collect()))
    }

    /// It is in the copy.
    pub fn took(&mut self, file: Attached) {
        self.taken.0.insert((file.conversation, file.position), file.name);
    }

    /// What the text is to speak of.
    #[must_use]
    pub fn taken(self) -> Taken {
        self.taken
    }

    fn name(&mut self, shown: &str) -> String {
        let name = names::safe(shown);
        let mut n = self.wanted.get(&folded(&name)).copied().unwrap_or(0);
        loop {
            let numbered = names::numbered(&name, n);
            n += 1;
            if n == 1 || !self.wanted.contains_key(&folded(&numbered)) {
                self.wanted.insert(folded(&name), n);
                self.wanted.entry(folded(&numbered)).or_insert(1);
                return numbered;
            }
        }
    }
}

impl Taken {
    pub(super) fn name(&self, conversation: ConversationId, position: u64) -> Option<&str> {
        self.0.get(&(conversation, position)).map(String::as_str)
    }
}

/// Names that some file system takes for the same.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::limits;

    #[test]
    fn names_lead_nowhere_and_none_is_given_twice() {
        let mut attaching = Attaching::new(None);
        let long = "x".repeat(5_000);
        let long = [long.as_str(), &format!("{long}.pdf"), &"ä".repeat(5_000)];
        let hostile =
            ["../../x", "/etc/passwd", "..", ".", "", "a\0b", "a/b", "C:\\x", "CON", "nul.txt", "COM¹", ".ssh"];
        let twice = ["a.txt", "A.TXT", "a (1).txt", "a.txt", "a (1).txt", "e\u{301}.txt", "é.txt", "É.txt", "ſ", "s"];
        let all: Vec<_> = long.iter().chain(&hostile).chain(&twice).chain(&hostile).collect();
        let names: Vec<_> = all.iter().map(|shown| attaching.name(shown)).collect();
        for name in &names {
            assert!(!name.contains(['/', '\\', '\0', ':']) && !name.starts_with('.') && !name.is_empty(), "{name}");
            assert!(name.len() <= limits::SAVE_NAME + " (99)".len(), "{name}");
            assert!(
                !["CON", "NUL", "COM¹"].contains(&name.split('.').next().unwrap().to_uppercase().as_str()),
                "{name}"
            );
        }
        let different: BTreeSet<_> = names.iter().map(|name| folded(name)).collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert_eq!(names[15..19], ["a.txt", "A (1).TXT", "a (1) (1).txt", "a (2).txt"]);
    }

    #[test]
    fn thousands_of_one_name_take_no_time() {
        let mut attaching = Attaching::new(None);
        let names: BTreeSet<_> = (0..20_000).map(|_| attaching.name("image.png")).collect();
        assert_eq!(names.len(), 20_000);
    }
}
