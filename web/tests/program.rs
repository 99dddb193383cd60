//! `livechat-node` as a program: its ready line, its verbs, its errors.
#![allow(clippy::unwrap_used, reason = "tests: helpers included")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livechat-node"));
    command.env_clear().env("HOME", dir).stdin(Stdio::null());
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    program(dir).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Kills what it started, whatever a test's assertions do.
struct Running(Child, BufReader<ChildStdout>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

fn start(dir: &Path, arguments: &[&str]) -> Running {
    let mut child = program(dir)
        .args(["--relay", "http://127.0.0.1:9/", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    Running(child, out)
}

#[test]
fn says_when_it_is_ready_and_ends_in_good_order() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join(".local/share/livechat");
    let mut node = start(dir.path(), &["--ready-json", "--host", "alice.localhost"]);
    let mut line = String::new();
    node.1.read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("http://alice.localhost:"), "{ready}");
    assert!(ready["link"].as_str().unwrap().starts_with("http://alice.localhost:"), "{ready}");
    assert_eq!(ready["socket"].as_str().unwrap(), data.join("node.sock").display().to_string());

    let link = run(dir.path(), &["link"]);
    assert!(link.status.success(), "{}", said(&link));
    assert_ne!(String::from_utf8_lossy(&link.stdout).trim(), ready["link"].as_str().unwrap());

    // A second one on the same directory, and a second one on the same port.
    let second = run(dir.path(), &["--relay", "http://127.0.0.1:9/", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).starts_with("livechat-node: "), "{}", said(&second));
    let elsewhere = tempfile::tempdir().unwrap();
    let port = ready["url"].as_str().unwrap().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let busy = run(elsewhere.path(), &["--relay", "http://127.0.0.1:9/", "--listen", &format!("127.0.0.1:{port}")]);
    assert!(!busy.status.success() && said(&busy).contains("in use"), "{}", said(&busy));

    let kill = Command::new("kill").arg("-TERM").arg(node.0.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert_eq!(node.0.wait().unwrap().code(), Some(0));
    assert!(!data.join("node.sock").exists() && !data.join("web.sock").exists());
    let gone = run(dir.path(), &["link"]);
    assert!(!gone.status.success() && said(&gone).contains("no livechat-node is running"), "{}", said(&gone));
}

#[test]
fn the_link_is_for_people_without_json() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = start(dir.path(), &["--data-dir", &dir.path().join("x").display().to_string()]);
    let mut text = String::new();
    while !text.contains("Ctrl+C") {
        assert!(node.1.read_line(&mut text).unwrap() > 0, "{text}");
    }
    assert!(text.contains("http://127.0.0.1:") && text.contains("/#link="), "{text}");
}

#[test]
fn errors_name_the_cause_and_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let relay = "http://127.0.0.1:9/";
    for (arguments, code, words) in [
        (vec![], 2, "--relay"),
        (vec!["--relay", "not a url"], 2, "--relay"),
        (vec!["--relay", relay, "--listen", "0.0.0.0:0"], 1, "listen on 127.0.0.1"),
        (vec!["--relay", relay, "--listen", "here"], 2, "--listen"),
        (vec!["--relay", relay, "--listen", "127.0.0.1:0", "--host", "a b"], 1, "isn't a host name"),
        (vec!["--relay", relay, "--data-dir", "/proc/nowhere"], 1, "/proc/nowhere"),
    ] {
        let output = run(dir.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains("panicked"), "{}", said(&output));
    }
    let nameless = program(dir.path()).env_remove("HOME").args(["--relay", relay]).output().unwrap();
    assert!(said(&nameless).contains("--data-dir"), "{}", said(&nameless));
}
