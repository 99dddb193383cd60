//! `livechat-relay`: reads its settings, runs a relay, stops on SIGTERM and SIGINT.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use livechat_relay::{Config, Limits};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The LiveChat relay: accounts by authenticator app, a store that holds ciphertext only, a way in for peers.
#[derive(Parser)]
#[command(name = "livechat-relay", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a relay
    Serve(Box<Serve>),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
}

#[derive(Args, Default)]
struct Serve {
    /// Settings file (TOML, the long options with underscores); options and environment win over it
    #[arg(long, env = "LIVECHAT_RELAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to serve HTTP on; port 0 takes a free one [default: 127.0.0.1:8420]
    #[arg(long, env = "LIVECHAT_RELAY_HTTP", value_name = "IP:PORT")]
    http: Option<SocketAddr>,
    /// Multiaddress to listen on for peers; may be repeated [default: UDP (QUIC) and TCP port 4001]
    #[arg(long, env = "LIVECHAT_RELAY_P2P", value_name = "MULTIADDR", value_delimiter = ',')]
    p2p: Vec<String>,
    /// Multiaddress to tell nodes, where those listened on can't be reached from outside; may be repeated
    #[arg(long, env = "LIVECHAT_RELAY_ANNOUNCE", value_name = "MULTIADDR", value_delimiter = ',')]
    announce: Vec<String>,
    /// sqlite:PATH or mongodb://HOST/DATABASE (a replica set) [default: relay.db in the data directory]
    #[arg(long, env = "LIVECHAT_RELAY_STORE", value_name = "URL", hide_env_values = true)]
    store: Option<String>,
    /// Where the relay's keys (and by default its database) lie [default: ~/.local/share/livechat-relay]
    #[arg(long, env = "LIVECHAT_RELAY_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Name of the network; nodes of different networks don't meet [default: main]
    #[arg(long, env = "LIVECHAT_RELAY_NETWORK", value_name = "NAME")]
    network: Option<String>,
    /// What authenticator apps show beside the username [default: LiveChat]
    #[arg(long, env = "LIVECHAT_RELAY_NAME", value_name = "NAME")]
    name: Option<String>,
    /// Proxy in front of the relay whose X-Forwarded-For is believed; may be repeated
    #[arg(long, env = "LIVECHAT_RELAY_TRUSTED_PROXIES", value_name = "IP", value_delimiter = ',')]
    trusted_proxies: Vec<IpAddr>,
    /// Say in one line of JSON that the relay is ready, and where
    #[arg(long)]
    ready_json: bool,
}

/// The settings file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    http: Option<SocketAddr>,
    p2p: Vec<String>,
    announce: Vec<String>,
    store: Option<String>,
    data_dir: Option<PathBuf>,
    network: Option<String>,
    name: Option<String>,
    trusted_proxies: Vec<IpAddr>,
    limits: FileLimits,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FileLimits {
    sign_ups_per_hour: Option<u32>,
    lookups_per_minute: Option<u32>,
    claims_per_minute: Option<u32>,
    log_ins_per_minute: Option<u32>,
    proofs_per_minute: Option<u32>,
    file_quota: Option<u64>,
    file_seconds: Option<u64>,
    file_parts_per_minute: Option<u32>,
}

/// What ends the program, for people.
struct Failed(String);

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve(&args),
        Command::Openapi => say(&livechat_relay::openapi()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            // If even that can't be written there is nobody to tell.
            drop(writeln!(std::io::stderr(), "livechat-relay: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Serve) -> Result<(), Failed> {
    let filter = EnvFilter::try_from_env("LIVECHAT_RELAY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
    let config = settle(args, file, &std::env::vars().collect())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failed(format!("can't start worker threads: {e}")))?;
    runtime.block_on(run(config, args.ready_json))
}

async fn run(config: Config, json: bool) -> Result<(), Failed> {
    let signals = |e: std::io::Error| Failed(format!("can't listen for signals: {e}"));
    let mut term = signal(SignalKind::terminate()).map_err(signals)?;
    let mut int = signal(SignalKind::interrupt()).map_err(signals)?;
    // A signal while starting ends it too: a database that is away may take a while to be given up.
    let relay = tokio::select! {
        started = livechat_relay::start(config) => started.map_err(|e| Failed(e.to_string()))?,
        _ = term.recv() => return Ok(()),
        _ = int.recv() => return Ok(()),
    };
    let url = format!("http://{}", relay.http_addr());
    say(&if json {
        serde_json::json!({ "http": url, "p2p": relay.p2p_addrs(), "relay": relay.id() }).to_string()
    } else {
        format!("Relay {}\nHTTP  {url}\nPeers {}", relay.id(), relay.p2p_addrs().join("\n      "))
    })?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping; once more to stop at once");
    tokio::select! {
        () = relay.stop() => {}
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout(), "{line}")
        .and_then(|()| std::io::stdout().flush())
        .map_err(|e| Failed(format!("can't write to standard output: {e}")))
}

fn read(path: &Path) -> Result<File, Failed> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failed(format!("can't read the settings file {}: {e}", path.display())))?;
    toml::from_str(&text).map_err(|e| Failed(format!("the settings file {} is wrong: {e}", path.display())))
}

/// Options win over the file, the file over what is usual.
fn settle(args: &Serve, file: File, env: &BTreeMap<String, String>) -> Result<Config, Failed> {
    let data_dir = args.data_dir.clone().or(file.data_dir).map_or_else(|| usual_data_dir(env), Ok)?;
    let usual = Config::local(&data_dir);
    let several = |given: &[String], filed: Vec<String>| if given.is_empty() { filed } else { given.to_vec() };
    let mut p2p = several(&args.p2p, file.p2p);
    if p2p.is_empty() {
        p2p = vec!["/ip4/0.0.0.0/udp/4001/quic-v1".to_owned(), "/ip4/0.0.0.0/tcp/4001".to_owned()];
    }
    let d = Limits::default();
    let l = file.limits;
    let trusted = if args.trusted_proxies.is_empty() { file.trusted_proxies } else { args.trusted_proxies.clone() };
    Ok(Config {
        http: args.http.or(file.http).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8420))),
        p2p,
        announce: several(&args.announce, file.announce),
        store: args.store.clone().or(file.store).unwrap_or(usual.store),
        network: args.network.clone().or(file.network).unwrap_or(usual.network),
        name: args.name.clone().or(file.name).unwrap_or(usual.name),
        limits: Limits {
            sign_ups_per_hour: l.sign_ups_per_hour.unwrap_or(d.sign_ups_per_hour),
            lookups_per_minute: l.lookups_per_minute.unwrap_or(d.lookups_per_minute),
            claims_per_minute: l.claims_per_minute.unwrap_or(d.claims_per_minute),
            log_ins_per_minute: l.log_ins_per_minute.unwrap_or(d.log_ins_per_minute),
            proofs_per_minute: l.proofs_per_minute.unwrap_or(d.proofs_per_minute),
            file_quota: l.file_quota.unwrap_or(d.file_quota),
            file_seconds: l.file_seconds.unwrap_or(d.file_seconds),
            file_parts_per_minute: l.file_parts_per_minute.unwrap_or(d.file_parts_per_minute),
            trusted_proxies: trusted.iter().map(IpAddr::to_canonical).collect(),
            ..d
        },
        data_dir,
    })
}

/// Where systemd says (`StateDirectory=`), or where programs of a person keep their data.
fn usual_data_dir(env: &BTreeMap<String, String>) -> Result<PathBuf, Failed> {
    let set = |name: &str| env.get(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("STATE_DIRECTORY")
        .or_else(|| Some(set("XDG_DATA_HOME")?.join("livechat-relay")))
        .or_else(|| Some(set("HOME")?.join(".local/share/livechat-relay")))
        .ok_or_else(|| Failed("there is no home directory; choose a data directory with --data-dir".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(args: &[&str], file: &str) -> Config {
        let args = ["livechat-relay", "serve"].iter().chain(args);
        let Command::Serve(args) = Cli::try_parse_from(args).unwrap().command else { panic!("serve") };
        let env = [("HOME".to_owned(), "/home/op".to_owned())].into();
        settle(&args, toml::from_str(file).unwrap(), &env).unwrap_or_else(|Failed(why)| panic!("{why}"))
    }

    #[test]
    fn usual_settings() {
        let c = settled(&[], "");
        assert_eq!(c.http.to_string(), "127.0.0.1:8420");
        assert_eq!(c.store, "sqlite:/home/op/.local/share/livechat-relay/relay.db");
        assert_eq!((c.network.as_str(), c.name.as_str(), c.p2p.len()), ("main", "LiveChat", 2));
    }

    #[test]
    fn options_win_over_the_file() {
        let file = r#"
            http = "0.0.0.0:80"
            store = "mongodb://db/chat"
            p2p = ["/ip4/1.2.3.4/tcp/1"]
            trusted_proxies = ["10.0.0.1"]
            [limits]
            sign_ups_per_hour = 7
        "#;
        let c = settled(&["--http", "127.0.0.1:0", "--data-dir", "/d"], file);
        assert_eq!((c.http.port(), c.store.as_str(), c.limits.sign_ups_per_hour), (0, "mongodb://db/chat", 7));
        assert_eq!((c.p2p.len(), c.limits.trusted_proxies.len()), (1, 1));
        assert_eq!(c.data_dir, Path::new("/d"));
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(toml::from_str::<File>("htpt = \"x\"").is_err());
    }
}
