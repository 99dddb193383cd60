//! Stories in real Chromium, told in `tests/e2e/*.mjs` and driven through playwright-core.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_tests::process::{Need, binaries, chromium, unmet};

fn tell(story: &str) -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace")?;
    let ui = root.join("web/ui");
    if !ui.join("node_modules/playwright-core").exists() {
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&ui)
            .output()?;
        if !npm.status.success() {
            return Err(format!("npm ci: {}", String::from_utf8_lossy(&npm.stderr)).into());
        }
    }
    let programs = binaries();
    let mut node = Command::new("node");
    node.arg(root.join("tests/e2e").join(story)).env("RELAY", &programs.relay).env("NODE_PROGRAM", &programs.node);
    if let Some(path) = chromium() {
        node.env("CHROMIUM", path);
    }
    let told = node.output()?;
    print!("{}", String::from_utf8_lossy(&told.stdout));
    if told.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&told.stderr).into_owned().into()) }
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = unmet(Need::Browser);
    if let Some(why) = missing {
        eprintln!("{why}");
    }
    let stories = [
        ("two_people_in_two_browsers", "story.mjs"),
        ("what_two_people_do_with_messages", "content.mjs"),
        ("a_group_of_three_people_in_three_browsers", "groups.mjs"),
        ("a_device_is_locked_and_opened", "lock.mjs"),
        ("files_between_two_browsers", "files.mjs"),
        ("a_file_from_device_to_device_and_another_name", "direct.mjs"),
        ("a_voice_note_between_two_browsers", "voice.mjs"),
        ("p17_other_sites_pages_get_nothing", "hostile.mjs"),
        ("p18_texts_stay_text", "injection.mjs"),
    ];
    let trials = stories
        .into_iter()
        .map(|(name, file)| Trial::test(name, move || tell(file)).with_ignored_flag(missing.is_some()))
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
