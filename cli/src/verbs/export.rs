//! `export`: a readable copy of what was said.

use std::io::Write;
use std::path::{Path, PathBuf};

use livechat_node::export::{Export, Format, file_name};
use serde::Serialize;

use crate::args::ExportArgs;
use crate::door::Door;
use crate::exit::Failure;
use crate::out::Out;
use crate::save::Saving;

#[derive(Serialize)]
struct Saved<'a> {
    path: &'a Path,
    messages: u64,
}

/// Writes one conversation, or all, to a file or to standard output.
///
/// # Errors
/// Neither a contact nor a group is called so, the file's place is taken, the disk fails, or what else the node refuses.
pub async fn run(door: &Door, args: &ExportArgs, out: &mut Out) -> Result<(), Failure> {
    let format = args.format.into();
    if args.output.as_deref() == Some(Path::new("-")) {
        let mut copy = Export::new(wanted(door, args.name.as_deref()).await?.0, format);
        let mut to = std::io::stdout();
        while let Some(part) = copy.next(|request| door.ask(request)).await? {
            to.write_all(part.as_bytes()).map_err(|e| Failure::io("write to standard output", &e))?;
        }
        return to.flush().map_err(|e| Failure::io("write to standard output", &e));
    }
    let (path, messages) =
        save(door, args.name.as_deref(), format, args.output.as_deref(), |n| out.progress(n)).await?;
    out.object("saved", &Saved { path: &path, messages })?;
    out.line(&said(&path, messages))
}

/// What is said about a copy that is made.
#[must_use]
pub fn said(path: &Path, messages: u64) -> String {
    format!("{messages} messages are in {}. Everybody who can read that file can read them.", path.display())
}

/// Writes a copy to a file; `tell` hears how many messages it has so far.
///
/// # Errors
/// As [`run`].
pub async fn save(
    door: &Door,
    name: Option<&str>,
    format: Format,
    path: Option<&Path>,
    mut tell: impl FnMut(u64),
) -> Result<(PathBuf, u64), Failure> {
    let (conversation, title) = wanted(door, name).await?;
    let mut file = match path {
        Some(path) => Saving::at(path)?,
        None => Saving::named(&file_name(title.as_deref(), format))?,
    };
    let mut copy = Export::new(conversation, format);
    while let Some(part) = copy.next(|request| door.ask(request)).await? {
        file.write(part.as_bytes())?;
        tell(copy.messages());
    }
    Ok((file.finish()?, copy.messages()))
}

async fn wanted(
    door: &Door,
    name: Option<&str>,
) -> Result<(Option<livechat_node::api::ConversationId>, Option<String>), Failure> {
    match name {
        Some(name) => door.target(name).await.map(|t| (Some(t.conversation), Some(t.name))),
        None => Ok((None, None)),
    }
}
