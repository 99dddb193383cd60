//! `cargo adversary`: prints what each design gives away.

use std::process::ExitCode;
use std::time::Instant;

use livechat_adversary::designs;
use livechat_adversary::ours::{self, Acquaintance};
use livechat_adversary::report::{self, Row};
use livechat_adversary::workload::Workload;

const USAGE: &str = "\
cargo adversary [--users N] [--days N] [--seed N] [--json]

Plays the same talk in several designs, attacks what a relay sees of each, and prints how well it names the pairs who
talk: 0.5 is guessing, 1 is knowing. Defaults: 400 people, 7 days, seed 1.
";

struct Wanted {
    users: usize,
    days: u64,
    seed: u64,
    json: bool,
}

fn wanted(mut args: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut it = Wanted { users: 400, days: 7, seed: 1, json: false };
    while let Some(arg) = args.next() {
        let mut number = |least: u64| {
            let value = args.next().ok_or_else(|| format!("{arg} wants a number"))?;
            let value: u64 = value.parse().map_err(|_| format!("{arg} wants a number, not {value:?}"))?;
            if value < least { Err(format!("{arg} wants at least {least}")) } else { Ok(value) }
        };
        match arg.as_str() {
            "--users" => it.users = usize::try_from(number(4)?).map_err(|e| e.to_string())?,
            "--days" => it.days = number(1)?,
            "--seed" => it.seed = number(0)?,
            "--json" => it.json = true,
            "--help" | "-h" => return Err(String::new()),
            other => return Err(format!("{other:?} is no option of this program")),
        }
    }
    Ok(it)
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(why) if why.is_empty() => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprint!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let rows = livechat_sim::on_big_stack(move || rows(&wanted));
    print!("{rows}");
    ExitCode::SUCCESS
}

fn rows(wanted: &Wanted) -> String {
    let workload = Workload::generate(wanted.users, wanted.days, wanted.seed);
    let row = |name: &str, view| report::row(name, &view, &workload, wanted.seed);
    let mut rows: Vec<Row> = vec![
        row("the original: sender and recipient stored", designs::original(&workload)),
        row("sealed sender, a box for each user", designs::mailboxes(&workload)),
    ];
    let begin = Instant::now();
    let (seen, midnight, delivered) = ours::play(&workload, false, wanted.seed);
    let took = begin.elapsed().as_secs_f64();
    eprintln!("played by the engine: {} of {} messages arrived, {took:.0} s", delivered.arrived, delivered.said);
    for (how, name) in [
        (Acquaintance::Before, "LiveChat today: own connection, whole bucket"),
        (Acquaintance::Watched, "the same, with look-ups watched"),
    ] {
        rows.push(row(name, ours::view(&workload, &seen, midnight, how)));
    }
    if wanted.json {
        let rows = serde_json::json!({
            "users": workload.users, "days": workload.days, "seed": wanted.seed,
            "messages": workload.messages.len(), "rows": rows,
        });
        format!("{rows}\n")
    } else {
        report::table(&rows, &workload)
    }
}
