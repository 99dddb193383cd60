//! `cli/REFERENCE.md` is what `--help` says, verb by verb. A stale page is a failing test; `LIVECHAT_UPDATE=1` writes it.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use clap::CommandFactory;
use livechat_cli::args::Args;
use livechat_cli::prompt::command::COMMANDS;

fn page() -> String {
    let mut page = String::from(
        "# livechat\n\nWritten by a test from the program's own help: `LIVECHAT_UPDATE=1 cargo test -p livechat-cli --test reference`.\n",
    );
    let mut root = Args::command().term_width(100);
    root.build();
    let mut section = |title: &str, help: String| {
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    };
    section("livechat", root.render_long_help().to_string());
    for verb in root.get_subcommands_mut().filter(|v| v.get_name() != "help") {
        let title = format!("livechat {}", verb.get_name());
        section(&title, verb.render_long_help().to_string());
    }
    let commands: Vec<String> =
        COMMANDS.iter().map(|(name, needs, what)| format!("{:<18} {what}", format!("{name} {needs}"))).collect();
    section("In the prompt", commands.join("\n"));
    page
}

#[test]
fn the_reference_page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("REFERENCE.md");
    let page = page();
    if std::env::var_os("LIVECHAT_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "cli/REFERENCE.md is stale: LIVECHAT_UPDATE=1 cargo test -p livechat-cli --test reference");
}

#[test]
fn the_command_line_is_sound() {
    Args::command().debug_assert();
}
