//! What some tests need beside Rust, and what happens where it is missing: "ignored: why", or a failure where
//! `LIVECHAT_REQUIRE` names it (as `.ci/run` does).

use std::path::PathBuf;

/// Something to have installed. `tests/provision` installs all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Chromium, Node.js and npm.
    Browser,
    /// A real mongod.
    Mongo,
    /// strace, to kill at a chosen system call.
    Strace,
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|d| d.join(program)).find(|p| p.is_file())
}

/// Chromium: `LIVECHAT_CHROMIUM`, or on the path.
#[must_use]
pub fn chromium() -> Option<PathBuf> {
    std::env::var_os("LIVECHAT_CHROMIUM").map(PathBuf::from).or_else(|| on_path("chromium"))
}

/// A MongoDB server: `LIVECHAT_MONGOD`, or on the path.
#[must_use]
pub fn mongod() -> Option<PathBuf> {
    std::env::var_os("LIVECHAT_MONGOD").map(PathBuf::from).or_else(|| on_path("mongod"))
}

/// Why a test that needs this can't run here, if it can't.
///
/// # Panics
/// Where `LIVECHAT_REQUIRE` insists.
#[must_use]
pub fn unmet(need: Need) -> Option<&'static str> {
    let (name, there, why) = match need {
        Need::Browser => (
            "browser",
            chromium().is_some() && on_path("npm").is_some(),
            "ignored: no Chromium here; enable with: eval \"$(tests/provision)\"",
        ),
        Need::Mongo => {
            ("mongo", mongod().is_some(), "ignored: no mongod here; enable with: eval \"$(tests/provision)\"")
        }
        Need::Strace => {
            ("strace", on_path("strace").is_some(), "ignored: no strace here; enable with: eval \"$(tests/provision)\"")
        }
    };
    if there {
        return None;
    }
    let required = std::env::var("LIVECHAT_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|r| r == name), "LIVECHAT_REQUIRE asks for {name}, but it is not here");
    Some(why)
}
