//! Puts the front end into the program. The first of these that works:
//!
//! 1. `LIVECHAT_UI_DIST`: a directory that somebody built already.
//! 2. `web/dist`: comes with a released source archive, so that building needs no Node there.
//! 3. `npm ci` (only when the lock changed) and `vite build`, in OUT_DIR: the source tree is never written to.
//! 4. A page that says why there is no front end and how to get one, and a warning. Programs and sockets still work.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What vite reads, below `web/ui`.
const SOURCES: &[&str] =
    &[".npmrc", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "index.html", "src", "public"];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let ui = here.join("ui");
    println!("cargo::rerun-if-env-changed=LIVECHAT_UI_DIST");
    println!("cargo::rerun-if-changed=build.rs");
    // A path that isn't there would make cargo run this every time.
    for watched in SOURCES.iter().map(|s| format!("ui/{s}")).chain(["dist".to_owned()]) {
        if here.join(&watched).exists() {
            println!("cargo::rerun-if-changed={watched}");
        }
    }

    let dist = out.join("dist");
    let why = match find(&here, &ui, &out) {
        Ok(built) => replace(&built, &dist).err().map(|e| format!("{}: {e}", built.display())),
        Err(why) => Some(why),
    };
    if let Some(why) = &why {
        println!("cargo::warning=the web UI isn't in this build: {}", why.replace('\n', " | "));
        fs::remove_dir_all(&dist).unwrap_or_default();
        fs::create_dir_all(&dist).expect("OUT_DIR is writable");
        fs::write(dist.join("index.html"), placeholder(why)).expect("OUT_DIR is writable");
    }
    fs::write(out.join("assets.rs"), table(&dist, why.is_none())).expect("OUT_DIR is writable");
}

fn find(here: &Path, ui: &Path, out: &Path) -> Result<PathBuf, String> {
    if let Some(dist) = env::var_os("LIVECHAT_UI_DIST") {
        let dist = PathBuf::from(dist);
        println!("cargo::rerun-if-changed={}", dist.display());
        let there = dist.join("index.html").is_file();
        return if there { Ok(dist) } else { Err(format!("LIVECHAT_UI_DIST={}: no index.html there", dist.display())) };
    }
    let released = here.join("dist");
    if released.join("index.html").is_file() {
        return Ok(released);
    }
    build(ui, &out.join("ui")).map_err(|e| format!("{e}\nInstall Node 20.19 or newer with npm and build again."))
}

/// Builds a copy of the sources, with packages that outlive an edit.
fn build(ui: &Path, work: &Path) -> Result<PathBuf, String> {
    let io = |e: io::Error| e.to_string();
    fs::create_dir_all(work).map_err(io)?;
    for source in SOURCES {
        let (from, to) = (ui.join(source), work.join(source));
        if from.is_dir() {
            replace(&from, &to).map_err(io)?;
        } else if from.exists() {
            fs::copy(&from, &to).map_err(io)?;
        }
    }
    let lock = fs::read(ui.join("package-lock.json")).map_err(io)?;
    let stamp = work.join("packages.stamp");
    if fs::read(&stamp).ok().as_deref() != Some(lock.as_slice()) {
        fs::remove_file(&stamp).unwrap_or_default();
        run(work, "npm", &["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"])?;
        fs::write(&stamp, &lock).map_err(io)?;
    }
    run(
        work,
        "node",
        &["node_modules/vite/bin/vite.js", "build", "--outDir", "dist", "--emptyOutDir", "--logLevel", "warn"],
    )?;
    Ok(work.join("dist"))
}

fn run(at: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(at).env("NODE_ENV", "production");
    let done = command.output().map_err(|e| format!("{program}: {e}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last: Vec<&str> = said.lines().rev().take(12).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(format!("{program} {}: {}\n{}", arguments.join(" "), done.status, last.join("\n")))
}

/// Makes `to` a copy of the directory `from`.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            replace(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn placeholder(why: &str) -> String {
    let why = why.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>LiveChat</title>\
         <h1>LiveChat runs, but this build has no web UI</h1>\
         <p>When it was built, the front end could not be:</p><pre>{why}</pre>\
         <p>The node itself works: use the prompt (<code>livechat</code>), or build again.</p></html>\n"
    )
}

/// The files as Rust: a table that the server looks paths up in.
fn table(dist: &Path, built: bool) -> String {
    let mut files = Vec::new();
    collect(dist, dist, &mut files);
    files.sort();
    let mut code = format!("/// Whether the front end is in this build.\npub const BUILT: bool = {built};\n");
    let index = dist.join("index.html");
    writeln!(code, "pub(crate) static INDEX: &str = include_str!({:?});", index.display().to_string())
        .expect("a string");
    code.push_str("pub(crate) static ASSETS: &[Asset] = &[\n");
    for file in files.iter().filter(|f| *f != "index.html") {
        let path = dist.join(file);
        let etag = fnv(&fs::read(&path).expect("just listed"));
        let full = path.display().to_string();
        writeln!(
            code,
            "    Asset {{ path: \"/{file}\", kind: {:?}, etag: \"\\\"{etag:016x}\\\"\", bytes: include_bytes!({full:?}) }},",
            kind(file)
        )
        .expect("a string");
    }
    code.push_str("];\n");
    code
}

fn collect(root: &Path, at: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(at).expect("just made").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, into);
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            into.push(name.replace('\\', "/"));
        }
    }
}

fn kind(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// FNV-1a: tells an old copy from a new one, and needs no more.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
