//! `livechat-node`: a node with its local web UI and its socket for prompt and scripts.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use livechat_node::{Node, api};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use url::Url;

/// Overwrites what is freed: a locked node has no message left in memory (P21).
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Chat end to end: runs your node and serves its web UI to browsers of this computer.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Verb {
    /// Prints a new one-time link to the web UI of the node that is running.
    Link(Place),
}

#[derive(Args)]
struct Place {
    /// Where the node keeps everything [default: $XDG_DATA_HOME/livechat or ~/.local/share/livechat]
    #[arg(long, value_name = "DIR", env = "LIVECHAT_DATA_DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Args)]
struct Run {
    /// The relay to use, e.g. https://relay.example.org
    #[arg(long, value_name = "URL", env = "LIVECHAT_RELAY", required = true)]
    relay: Option<Url>,
    #[command(flatten)]
    place: Place,
    /// Where browsers of this computer reach the web UI
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4810")]
    listen: SocketAddr,
    /// A further name for it, e.g. alice.localhost; may be repeated
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Find nodes on the local network. It announces there that you are online
    #[arg(long)]
    mdns: bool,
    /// Another node to stay connected to directly, by its multiaddress; may be repeated
    #[arg(long = "peer", value_name = "MULTIADDR")]
    peers: Vec<String>,
    /// Multiaddresses for other nodes to connect to [default: free ports of this computer alone]
    #[arg(long, value_name = "MULTIADDR", num_args = 1..)]
    p2p: Vec<String>,
    /// Print one line of JSON when ready: url, link, socket
    #[arg(long)]
    ready_json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("LIVECHAT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let runtime = match livechat_node::runtime() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&e),
    };
    let done = match arguments.verb {
        Some(Verb::Link(place)) => runtime.block_on(link(place)),
        None => runtime.block_on(run(arguments.run)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(e.as_ref()),
    }
}

fn fail(error: &dyn Error) -> ExitCode {
    let mut line = format!("livechat-node: {error}");
    let mut cause = error.source();
    while let Some(e) = cause {
        line.push_str(&format!(": {e}"));
        cause = e.source();
    }
    // With standard error gone there is nobody to tell.
    writeln!(io::stderr(), "{line}").unwrap_or_default();
    ExitCode::FAILURE
}

fn data_dir(place: Place) -> Result<PathBuf, Box<dyn Error>> {
    let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    place
        .data_dir
        .or_else(|| from("XDG_DATA_HOME").filter(|p| p.is_absolute()).map(|p| p.join("livechat")))
        .or_else(|| from("HOME").map(|p| p.join(".local/share/livechat")))
        .ok_or_else(|| "neither HOME nor XDG_DATA_HOME is set: say where with --data-dir".into())
}

async fn link(place: Place) -> Result<(), Box<dyn Error>> {
    let link = livechat_web::ask_link(&data_dir(place)?).await?;
    writeln!(io::stdout(), "{link}")?;
    Ok(())
}

async fn run(run: Run) -> Result<(), Box<dyn Error>> {
    // Before anything else, so that a signal during start-up ends it in good order too.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let relay = run.relay.ok_or("which relay? Say so with --relay URL")?;
    let mut config = livechat_node::Config::new(data_dir(run.place)?, relay);
    config.mdns = run.mdns;
    config.peers = run.peers;
    if !run.p2p.is_empty() {
        config.listen = run.p2p;
    }

    let node = Node::start(config).await?;
    let serving = serve(&node, run.listen, run.hosts).await;
    let (ui, socket) = match serving {
        Ok(served) => served,
        Err(e) => {
            node.stop().await;
            return Err(e);
        }
    };
    let said = say_ready(run.ready_json, &ui, &socket);
    if said.is_ok() {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    ui.stop().await;
    socket.stop().await;
    node.stop().await;
    Ok(said?)
}

async fn serve(
    node: &Node,
    listen: SocketAddr,
    hosts: Vec<String>,
) -> Result<(livechat_web::Ui, api::socket::Server), Box<dyn Error>> {
    let ui = livechat_web::serve(node.clone(), livechat_web::Config { listen, hosts }).await?;
    let socket = api::socket::serve(node.clone(), node.data_dir().join("node.sock")).await?;
    Ok((ui, socket))
}

fn say_ready(as_json: bool, ui: &livechat_web::Ui, socket: &api::socket::Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        let ready = json!({
            "url": ui.url(),
            "link": ui.link(),
            "socket": socket.path().display().to_string(),
        });
        writeln!(out, "{ready}")?;
    } else {
        writeln!(out, "LiveChat is running. Open this link within ten minutes; it works once:\n\n  {}\n", ui.link())?;
        writeln!(out, "For another link: livechat-node link. To stop: Ctrl+C.")?;
    }
    out.flush()
}
