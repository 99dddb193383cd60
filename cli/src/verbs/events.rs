//! `events`: everything that happens on the node, as the API tells it.

use std::path::Path;

use livechat_node::api::Event;

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;

/// Prints how things stand, then every event. With `follow` a node that stops is waited for: its return is told like lost
/// events, since that is what it means.
///
/// # Errors
/// The node stopped, and it isn't followed.
pub async fn run(door: &Door, data_dir: &Path, follow: bool, count: Option<u32>, out: &mut Out) -> Result<(), Failure> {
    let mut left = count;
    let mut enough = print(door, &mut left, out).await?;
    while !enough {
        if !follow || door.is_here() {
            return Err(Failure::new(Exit::Failure, "The node has stopped.", "Start it again, or use --follow."));
        }
        eprintln!("livechat: the node has stopped; waiting for it to run again.");
        let again = Door::again(data_dir).await?;
        out.raw(&Event::Lagged)?;
        enough = print(&again, &mut left, out).await?;
    }
    Ok(())
}

/// Prints until there is no more: `true` when that was enough, `false` when the node is gone.
async fn print(door: &Door, left: &mut Option<u32>, out: &mut Out) -> Result<bool, Failure> {
    // Before looking: nothing that happens in between can be missed.
    let mut events = door.events();
    let Ok(status) = door.status().await else { return Ok(false) };
    out.raw(&Event::Status(status))?;
    while *left != Some(0) {
        let Some(event) = events.next().await else { return Ok(false) };
        out.raw(&event)?;
        *left = left.map(|n| n - 1);
    }
    Ok(true)
}
