//! `completions`.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;

/// Writes the completion script of `shell`.
pub fn run(shell: Shell, to: &mut dyn Write) {
    clap_complete::generate(shell, &mut Args::command(), "livechat", to);
}
