//! `livechat`: reads arguments, environment and terminal once, then hands over to the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use livechat_cli::args::{Args, Verb, words};
use livechat_cli::exit::{Exit, Failure};
use livechat_cli::out::json_line;
use livechat_cli::settings::{Environment, Settings};
use livechat_cli::verbs;

/// Overwrites what is freed: a locked node has no message left in memory (P21).
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    let args = match Args::try_parse_from(words(std::env::args_os())) {
        Ok(args) => args,
        Err(e) => {
            // Help and version are no failure; a closed pipe while printing them neither.
            e.print().unwrap_or_default();
            let ok = matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if ok { Exit::Ok as u8 } else { Exit::Usage as u8 });
        }
    };
    logging(args.common.verbose);
    let json = args.common.json;
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.code != Exit::Ok && !failure.message.is_empty() {
                let line = if json { error_line(&failure) } else { format!("livechat: {failure}") };
                eprintln!("{line}");
            }
            ExitCode::from(failure.exit())
        }
    }
}

fn run(args: Args) -> Result<(), Failure> {
    if let Some(Verb::Completions { shell }) = args.verb {
        verbs::completions::run(shell, &mut std::io::stdout());
        return Ok(());
    }
    let settings = Settings::from(&args.common, &environment())?;
    let runtime = livechat_node::runtime().map_err(|e| Failure::io("start the program's threads", &e))?;
    livechat_cli::run(args.verb, &settings, &runtime)
}

fn environment() -> Environment {
    let var = |name| std::env::var_os(name).filter(|v| !v.is_empty());
    let stdout_tty = std::io::stdout().is_terminal();
    Environment {
        data_dir: var("LIVECHAT_DATA_DIR").map(Into::into),
        xdg_data_home: var("XDG_DATA_HOME").map(Into::into),
        home: var("HOME").map(Into::into),
        relay: std::env::var("LIVECHAT_RELAY").ok(),
        no_color: var("NO_COLOR").is_some(),
        dumb: var("TERM").is_none_or(|t| t == "dumb"),
        stdin_tty: std::io::stdin().is_terminal(),
        stdout_tty,
        columns: terminal_size::terminal_size().map(|(w, _)| w.0),
    }
}

/// Nothing unless asked: a log line in the middle of a chat helps nobody.
fn logging(verbose: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = match (verbose, EnvFilter::try_from_env("LIVECHAT_LOG")) {
        (_, Ok(filter)) => filter,
        (true, Err(_)) => {
            EnvFilter::new("livechat=debug,livechat_cli=debug,livechat_node=debug,livechat_relay=debug,warn")
        }
        (false, Err(_)) => return,
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn error_line(failure: &Failure) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        #[serde(flatten)]
        failure: &'a Failure,
    }
    json_line(&Line { r#type: "error", failure }).unwrap_or_else(|_| "{\"type\":\"error\"}".to_owned())
}
