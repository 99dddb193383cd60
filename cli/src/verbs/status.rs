//! `status`.

use crate::door::Door;
use crate::exit::Failure;
use crate::out::Out;

/// Shows how things stand; for a node started just now, once it knows.
///
/// # Errors
/// The node is gone.
pub async fn run(door: &Door, out: &mut Out) -> Result<(), Failure> {
    // Away is an answer too: the status says so.
    door.caught_up().await.unwrap_or_default();
    let status = door.status().await?;
    out.object("status", &status)?;
    for line in out.look.status(&status) {
        out.line(&line)?;
    }
    Ok(())
}
