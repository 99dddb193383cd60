//! `export`: a readable copy of what was said.

use std::io::Write;
use std::path::{Path, PathBuf};

use livechat_node::api::{ConversationId, Request, Response};
use livechat_node::export::{Attached, Attaching, Export, FOLDER, Format, Taken, file_name, folder_name};
use serde::Serialize;

use crate::args::ExportArgs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::save::{Folder, Place, Saving};

#[derive(Serialize)]
struct Saved<'a> {
    path: &'a Path,
    messages: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
}

/// A copy that is made.
#[derive(Debug)]
pub struct Copied {
    /// The file, or the folder.
    pub path: PathBuf,
    /// How many.
    pub messages: u64,
    /// How many went along, if they were asked for.
    pub files: Option<u64>,
}

/// Writes one conversation, or all, to a file or to standard output.
///
/// # Errors
/// Neither a contact nor a group is called so, the file's place is taken, the disk fails, or what else the node refuses.
pub async fn run(door: &Door, args: &ExportArgs, out: &mut Out) -> Result<(), Failure> {
    let format = args.format.into();
    if args.output.as_deref() == Some(Path::new("-")) {
        if args.files {
            let message = "Files don't fit into standard output.".to_owned();
            return Err(Failure::new(Exit::Usage, message, "Name a folder that isn't there yet."));
        }
        let mut copy = Export::new(wanted(door, args.name.as_deref()).await?.0, format);
        let mut to = std::io::stdout();
        while let Some(part) = copy.next(|request| door.ask(request)).await? {
            to.write_all(part.as_bytes()).map_err(|e| Failure::io("write to standard output", &e))?;
        }
        return to.flush().map_err(|e| Failure::io("write to standard output", &e));
    }
    let (name, path) = (args.name.as_deref(), args.output.as_deref());
    let done = if args.files {
        save_with_files(door, name, format, path, |n| out.progress(n)).await?
    } else {
        save(door, name, format, path, |n| out.progress(n)).await?
    };
    out.object("saved", &Saved { path: &done.path, messages: done.messages, files: done.files })?;
    out.line(&said(&done))
}

/// What is said about a copy that is made.
#[must_use]
pub fn said(done: &Copied) -> String {
    let Copied { path, messages, files } = done;
    let path = path.display();
    match files {
        None => format!("{messages} messages are in {path}. Everybody who can read that file can read them."),
        Some(files) => {
            format!(
                "{messages} messages and {files} files are in {path}. Everybody who can read that folder can read them."
            )
        }
    }
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
    tell: impl FnMut(u64),
) -> Result<Copied, Failure> {
    let (conversation, title) = wanted(door, name).await?;
    let file = Saving::begin(place(path, &file_name(title.as_deref(), format))?)?;
    let (path, messages) = write(door, Export::new(conversation, format), file, tell).await?;
    Ok(Copied { path, messages, files: None })
}

/// Writes a copy and the files that are on this device into a folder, which isn't there before all of it is.
///
/// # Errors
/// As [`run`].
pub async fn save_with_files(
    door: &Door,
    name: Option<&str>,
    format: Format,
    path: Option<&Path>,
    tell: impl FnMut(u64),
) -> Result<Copied, Failure> {
    let (conversation, title) = wanted(door, name).await?;
    let folder = Folder::begin(place(path, &folder_name(title.as_deref()))?)?;
    let (taken, files) = take_along(door, conversation, &folder.inner(FOLDER)?).await?;
    let text = Saving::begin(Place::at(&folder.path().join(format!("chat.{}", format.extension())))?)?;
    let (_, messages) = write(door, Export::new(conversation, format).beside(taken), text, tell).await?;
    Ok(Copied { path: folder.finish()?, messages, files: Some(files) })
}

/// The path that was asked for, or a name of its own.
fn place(path: Option<&Path>, name: &str) -> Result<Place, Failure> {
    path.map_or_else(|| Ok(Place::named(name)), Place::at)
}

async fn take_along(door: &Door, conversation: Option<ConversationId>, into: &Path) -> Result<(Taken, u64), Failure> {
    let (mut attaching, mut count) = (Attaching::new(conversation), 0);
    while let Some(files) = attaching.next(|request| door.ask(request)).await? {
        for file in files {
            let Attached { conversation, position, name } = &file;
            let to = into.join(name).to_string_lossy().into_owned();
            match door.ask(Request::SaveFile { conversation: *conversation, position: *position, to }).await {
                Ok(Response::Saved { .. }) => {
                    attaching.took(file);
                    count += 1;
                }
                Ok(_) => return Err(Failure::odd_answer()),
                // It was deleted, or is over, since the list was made.
                Err(gone) if gone.code == Exit::UnknownContact => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok((attaching.taken(), count))
}

async fn write(
    door: &Door,
    mut copy: Export,
    mut file: Saving,
    mut tell: impl FnMut(u64),
) -> Result<(PathBuf, u64), Failure> {
    while let Some(part) = copy.next(|request| door.ask(request)).await? {
        file.write(part.as_bytes())?;
        tell(copy.messages());
    }
    Ok((file.finish()?, copy.messages()))
}

async fn wanted(door: &Door, name: Option<&str>) -> Result<(Option<ConversationId>, Option<String>), Failure> {
    match name {
        Some(name) => door.target(name).await.map(|t| (Some(t.conversation), Some(t.name))),
        None => Ok((None, None)),
    }
}
