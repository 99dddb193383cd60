//! `history`: a conversation, oldest first.

use crate::args::HistoryArgs;
use crate::door::Door;
use crate::exit::Failure;
use crate::out::Out;
use crate::verbs::search::around;

/// Prints the newest messages, or those around one; marks nothing read.
///
/// # Errors
/// Not a contact, or what the node refuses.
pub async fn run(door: &Door, args: &HistoryArgs, out: &mut Out) -> Result<(), Failure> {
    let to = door.target(&args.name).await?;
    let messages = match args.around {
        Some(number) => around(door, to.conversation, number, args.count).await?,
        None => door.newest(to.conversation, args.count as usize, |_| true).await?,
    };
    if out.json() {
        for message in &messages {
            out.message(&to.name, message)?;
        }
        return Ok(());
    }
    for line in out.look.history(&messages) {
        out.line(&line)?;
    }
    Ok(())
}
