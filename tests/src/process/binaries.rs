//! Finds the programs, built from the same sources as the test that runs them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Paths of the built programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// `livechat-relay`.
    pub relay: PathBuf,
    /// `livechat-node`.
    pub node: PathBuf,
    /// `livechat`.
    pub cli: PathBuf,
}

/// Builds them if anything changed, with the flags of `cargo test --workspace`, whose artefacts are reused.
/// `LIVECHAT_BIN_DIR` names a folder to take them from instead.
///
/// # Panics
/// When they can't be built.
pub fn binaries() -> &'static Binaries {
    static FOUND: OnceLock<Binaries> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = std::env::var_os("LIVECHAT_BIN_DIR").map_or_else(build, PathBuf::from);
        let named = |n: &str| {
            let path = folder.join(n);
            assert!(path.exists(), "{} is missing", path.display());
            path
        };
        Binaries { relay: named("livechat-relay"), node: named("livechat-node"), cli: named("livechat") }
    })
}

fn build() -> PathBuf {
    // A test runs in <target>/<profile>/deps.
    let folder = std::env::current_exe()
        .ok()
        .and_then(|p| Some(p.parent()?.parent()?.to_owned()))
        .expect("the test's own place in the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--workspace", "--no-run", "--quiet"]).env_remove("LIVECHAT_REQUIRE");
    // What cargo tells a test about itself would make build scripts that watch these variables run again.
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|p| shown.starts_with(p))
        {
            cargo.env_remove(&name);
        }
    }
    cargo.env_remove("CARGO").env_remove("LD_LIBRARY_PATH");
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status = cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).status().expect("cargo");
    assert!(status.success(), "the programs don't build");
    folder
}
