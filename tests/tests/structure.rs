//! The shape of the house: who may import whom, what nobody may link, and which decoders must have a fuzz target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// What this machine builds. Of other platforms' packages a fresh machine has none, and needn't.
fn metadata() -> Metadata {
    let options = ["--locked", "--offline", "--filter-platform", "host-tuple"];
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options.map(String::from).to_vec())
        .exec()
        .expect("cargo metadata")
}

/// DESIGN §2 and docs/adr/0002: every edge between our crates, and no other.
const IMPORTS: &[(&str, &[&str])] = &[
    ("livechat-wire", &[]),
    ("livechat-oprf", &[]),
    ("livechat-token", &[]),
    ("livechat-crypto", &["livechat-wire"]),
    ("livechat-engine", &["livechat-crypto", "livechat-wire"]),
    ("livechat-net", &["livechat-wire"]),
    ("livechat-node", &["livechat-crypto", "livechat-engine", "livechat-net", "livechat-oprf", "livechat-wire"]),
    ("livechat-relay", &["livechat-net", "livechat-oprf", "livechat-wire"]),
    ("livechat-web", &["livechat-node"]),
    ("livechat-cli", &["livechat-node", "livechat-relay", "livechat-web"]),
    ("livechat-sim", &["livechat-crypto", "livechat-engine", "livechat-wire"]),
    ("livechat-adversary", &["livechat-sim"]),
    (
        "livechat-tests",
        &[
            "livechat-cli",
            "livechat-crypto",
            "livechat-engine",
            "livechat-net",
            "livechat-node",
            "livechat-relay",
            "livechat-web",
            "livechat-wire",
        ],
    ),
];

#[test]
fn imports_follow_the_table() {
    let meta = metadata();
    let table: BTreeMap<_, BTreeSet<_>> =
        IMPORTS.iter().map(|(c, d)| (*c, d.iter().copied().collect::<BTreeSet<_>>())).collect();
    let members = meta.workspace_packages();
    assert_eq!(members.len(), table.len(), "a crate was added or removed without the table");
    for package in members {
        let allowed = &table[package.name.as_str()];
        for dependency in package.dependencies.iter().filter(|d| d.name.starts_with("livechat-")) {
            // A crate may use itself with its test features in its own tests.
            let is_self = dependency.name == package.name.as_str() && dependency.kind == DependencyKind::Development;
            assert!(
                is_self || allowed.contains(dependency.name.as_str()),
                "{} must not import {} ({:?})",
                package.name,
                dependency.name,
                dependency.kind
            );
        }
    }
}

/// Everything a crate links, development dependencies left out.
fn links<'a>(meta: &'a Metadata, name: &str) -> BTreeSet<&'a str> {
    let packages: BTreeMap<&PackageId, &Package> = meta.packages.iter().map(|p| (&p.id, p)).collect();
    let nodes: BTreeMap<_, _> = meta.resolve.as_ref().expect("resolved").nodes.iter().map(|n| (&n.id, n)).collect();
    let start = &meta.packages.iter().find(|p| p.name.as_str() == name).expect("our crate").id;
    let (mut seen, mut todo) = (BTreeSet::new(), vec![start]);
    while let Some(id) = todo.pop() {
        for dep in &nodes[id].deps {
            if dep.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal)
                && seen.insert(packages[&dep.pkg].name.as_str())
            {
                todo.push(&dep.pkg);
            }
        }
    }
    seen
}

#[test]
fn the_relay_links_nothing_that_opens_messages() {
    let meta = metadata();
    let linked = links(&meta, "livechat-relay");
    for forbidden in ["livechat-crypto", "livechat-engine", "livechat-node", "openmls", "hpke"] {
        assert!(!linked.contains(forbidden), "the relay links {forbidden}");
    }
    assert!(linked.contains("livechat-oprf"), "the function that vaults ask for is here, and opens nothing by itself");
    assert!(linked.contains("livechat-wire"), "control: the walk finds what is there");
}

/// STACK: what brings older arithmetic along stays out of the crates that messages go through.
#[test]
fn the_hot_crates_link_no_older_arithmetic() {
    let meta = metadata();
    for hot in ["livechat-wire", "livechat-crypto", "livechat-engine"] {
        assert!(!links(&meta, hot).contains("voprf"), "{hot} links voprf, and curve25519-dalek 4 with it");
    }
    assert!(links(&meta, "livechat-oprf").contains("voprf"), "control");
}

#[test]
fn the_brain_links_no_clock_no_network_no_disk() {
    let meta = metadata();
    for brain in
        ["livechat-wire", "livechat-oprf", "livechat-token", "livechat-crypto", "livechat-engine", "livechat-sim"]
    {
        let linked = links(&meta, brain);
        for forbidden in
            ["tokio", "libp2p", "mio", "socket2", "rusqlite", "mongodb", "reqwest", "axum", "async-std", "hyper"]
        {
            assert!(!linked.contains(forbidden), "{brain} links {forbidden}");
        }
    }
    assert!(links(&meta, "livechat-node").contains("tokio"), "control");
}

#[test]
fn versions_stay_above_the_floors() {
    let deny = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let floors: Vec<(String, cargo_metadata::semver::VersionReq)> = deny
        .lines()
        .filter_map(|l| l.trim().strip_prefix("{ crate = \"")?.split_once('"'))
        .map(|(spec, _)| {
            let (name, range) = spec.split_once('@').expect("name@range");
            (name.to_owned(), range.parse().expect("a version range"))
        })
        .collect();
    assert!(floors.len() >= 9, "deny.toml lost its floors");
    for package in metadata().packages {
        for (name, banned) in &floors {
            assert!(
                package.name.as_str() != name || !banned.matches(&package.version),
                "{name} {} is below the floor of deny.toml",
                package.version
            );
        }
    }
}

fn sources(under: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(under).expect("a folder of ours").map(|e| e.expect("readable").path()) {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if entry.is_dir() && !["target", "node_modules", "dist"].contains(&name) {
            sources(&entry, extension, found);
        } else if entry.extension().is_some_and(|e| e == extension) {
            found.push(entry);
        }
    }
}

/// P7: whoever adds a decoder to the wire crate adds a fuzz target, or this fails.
#[test]
fn every_decoder_has_a_fuzz_target() {
    let mut files = Vec::new();
    sources(&root().join("crypto/wire/src"), "rs", &mut files);
    let mut decoders = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("source");
        let mut owner = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                owner = rest.split([' ', '<', '{']).next().unwrap_or_default().to_owned();
            }
            if line.trim_start().starts_with("pub fn decode(") {
                decoders.insert((file.file_stem().and_then(|s| s.to_str()).expect("name").to_owned(), owner.clone()));
            }
        }
    }
    assert!(decoders.len() >= 10, "the search for decoders broke: {decoders:?}");
    let mut targets = Vec::new();
    sources(&root().join("fuzz/fuzz_targets"), "rs", &mut targets);
    let targets: Vec<_> = targets.iter().map(|t| fs::read_to_string(t).expect("target")).collect();
    for (module, ty) in &decoders {
        let call = if module == "envelope" { format!("::{ty}::decode(") } else { format!("{module}::{ty}::decode(") };
        assert!(targets.iter().any(|t| t.contains(&call)), "{module}::{ty}::decode has no fuzz target");
    }
    let http = fs::read_to_string(root().join("crypto/wire/src/http.rs")).expect("http.rs");
    let json = targets.iter().find(|t| t.contains("livechat_wire::http")).expect("the target of JSON bodies");
    for ty in http.lines().filter_map(|l| l.trim().strip_prefix("pub struct ")?.split([' ', '(']).next()) {
        if !["Bytes", "SecretText"].contains(&ty) {
            assert!(json.contains(ty), "http::{ty} has no fuzz target");
        }
    }
}

/// P7 for what is opened rather than decoded: each entrance that takes bytes of others.
#[test]
fn every_entrance_of_the_crypto_has_a_fuzz_target() {
    let mut targets = Vec::new();
    sources(&root().join("fuzz/fuzz_targets"), "rs", &mut targets);
    let targets: String = targets.iter().map(|t| fs::read_to_string(t).expect("target")).collect();
    for entrance in [
        "begin_room(",
        "join(",
        "decrypt(",
        "open_hello(",
        "keys.open(",
        "opener.open(",
        "Identity::decode(",
        "Vault::decode(",
        "RecoveryPhrase::parse(",
        "Blinded::decode(",
        "PublicKey::decode(",
        ".issue(",
        "pending.finish(",
    ] {
        assert!(targets.contains(entrance), "{entrance} has no fuzz target");
    }
}

/// Unfinished work and bare ignores don't hide in the tree.
#[test]
fn nothing_is_pretended() {
    let mut files = Vec::new();
    for place in ["crypto", "node", "relay", "web", "cli", "tests"] {
        sources(&root().join(place), "rs", &mut files);
    }
    assert!(files.len() > 30, "control: the search finds the tree");
    for file in files {
        let text = fs::read_to_string(&file).expect("source");
        for bad in [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[ign", "ore]")] {
            assert!(!text.contains(bad), "{} contains {bad}", file.display());
        }
    }
}
