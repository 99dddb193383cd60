//! `link`, `devices`: this account's devices, seen from a new one and from an old one.

use std::time::Duration;

use livechat_node::api::{AccountState, Device, DeviceTicket, Event, Request, Response};
use serde::Serialize;
use tokio::time::Instant;

use crate::args::DevicesVerb;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::render::Look;
use crate::{qr, text};

/// As a QR code holds it, before the characters.
const SCANNED: &str = "LIVECHAT-DEVICE:";

/// Digits of an id that are shown: enough to tell sixteen devices apart.
const SHORT: usize = 8;

#[derive(Serialize)]
struct LinkingLine<'a> {
    username: &'a str,
    code: &'a str,
    expires_at: u64,
}

/// Adds this device to an account: by its phrase, or by waiting so long for another device to let it in.
///
/// # Errors
/// Wrong name or code, not that account's phrase, or nobody let it in in time ([`Exit::Unreachable`]); the node goes on
/// waiting.
pub async fn link(
    door: &Door,
    name: &str,
    code: String,
    phrase: Option<String>,
    seconds: u64,
    columns: Option<usize>,
    out: &mut Out,
) -> Result<(), Failure> {
    let mut events = door.events();
    let ticket = match door.ask(Request::Link { username: name.to_owned(), code, phrase }).await? {
        Response::Linking(ticket) => ticket,
        Response::Done => return linked(door, out).await,
        _ => return Err(Failure::odd_answer()),
    };
    let DeviceTicket { username, code, expires_at, .. } = &ticket;
    out.object("linking", &LinkingLine { username, code, expires_at: *expires_at })?;
    for line in ticket_lines(&out.look, &ticket, columns) {
        out.line(&line)?;
    }
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match door.status().await?.account {
            AccountState::Linking { .. } => {}
            AccountState::Active { .. } | AccountState::LoggedOut { .. } => return linked(door, out).await,
            _ => return Err(Failure::new(Exit::Refused, "This device wasn't added.", "Begin again.")),
        }
        match tokio::time::timeout_at(deadline, wait_for_status(&mut events)).await {
            Ok(true) => {}
            Ok(false) => return Err(Failure::new(Exit::Failure, "The node has stopped.", "Start it again.")),
            Err(_) => {
                let message = format!("No device has let this one in within {seconds} s.");
                let hint = "It is added as soon as its code is entered on another one and your node runs; \
                            `livechat link --cancel` waits no longer.";
                return Err(Failure::new(Exit::Unreachable, message, hint));
            }
        }
    }
}

/// Until the status may have changed; false when the node has stopped.
async fn wait_for_status(events: &mut livechat_node::api::Events) -> bool {
    loop {
        match events.next().await {
            Some(Event::Status(_) | Event::Lagged) => return true,
            Some(_) => {}
            None => return false,
        }
    }
}

async fn linked(door: &Door, out: &mut Out) -> Result<(), Failure> {
    match door.status().await?.account {
        AccountState::Active { username, .. } => {
            let name = text::word(&username);
            out.done(&format!("This is a device of {name} now. Chats come in as others are online."))
        }
        _ => out.done("This device was added. Log in: livechat login CODE"),
    }
}

/// Waits no longer.
///
/// # Errors
/// It doesn't wait.
pub async fn cancel(door: &Door, out: &mut Out) -> Result<(), Failure> {
    door.ask(Request::CancelLink).await?;
    out.done("No longer waiting to be added.")
}

/// What a waiting device shows.
#[must_use]
pub fn ticket_lines(look: &Look, ticket: &DeviceTicket, columns: Option<usize>) -> Vec<String> {
    let code = text::word(&ticket.code);
    let mut lines = Vec::new();
    let scanned = format!("{SCANNED}{}", ticket.code.replace('-', ""));
    if let Some(drawn) = columns.and_then(|c| qr::lines(&scanned, c, look.style)) {
        lines.extend(drawn);
        lines.push(String::new());
    }
    lines.push("Enter this code on a device where you are logged in:".to_owned());
    lines.push(format!("    {code}"));
    lines.push(
        "There: Settings, Devices, Add a device; or `livechat devices add CODE`, or /devices add CODE.".to_owned(),
    );
    lines.push(format!("This device waits until {}.", look.moment(ticket.expires_at)));
    lines
}

/// The devices, oldest first.
///
/// # Errors
/// What the node refuses.
pub async fn list(door: &Door) -> Result<Vec<Device>, Failure> {
    match door.ask(Request::Devices).await? {
        Response::Devices { devices } => Ok(devices),
        _ => Err(Failure::odd_answer()),
    }
}

/// The one with this number in the list, or whose id begins like this.
///
/// # Errors
/// No such device, or several.
pub fn find<'a>(devices: &'a [Device], which: &str) -> Result<&'a Device, Failure> {
    let numbered = which.parse::<usize>().ok().and_then(|n| devices.get(n.checked_sub(1)?));
    let typed = which.to_lowercase();
    let mut named = devices.iter().filter(|d| typed.len() >= 4 && d.device.to_string().starts_with(&typed));
    let found = match (named.next(), named.next()) {
        (Some(device), None) => Some(device),
        _ => numbered,
    };
    found.ok_or_else(|| Failure::new(Exit::Usage, "There is no such device.", "`devices`, or /devices, lists them."))
}

/// Numbered lines.
#[must_use]
pub fn lines(look: &Look, devices: &[Device]) -> Vec<String> {
    let line = |(n, d): (usize, &Device)| {
        let this = if d.this { ", this one" } else { "" };
        let by = match d.added_by {
            Some(by) => format!("by {}", short(&by.to_string())),
            None => "by the first device or the recovery phrase".to_owned(),
        };
        let state = match (d.removed_at, d.pending) {
            (Some(at), _) => format!(", removed {}", look.moment(at)),
            (None, true) => ", waiting for the relay".to_owned(),
            (None, false) => String::new(),
        };
        format!("  {}  {}{this}, added {} {by}{state}", n + 1, short(&d.device.to_string()), look.moment(d.added_at))
    };
    devices.iter().enumerate().map(line).collect()
}

fn short(id: &str) -> String {
    id.chars().take(SHORT).collect()
}

/// `devices`, and what comes behind it.
///
/// # Errors
/// What the node refuses.
pub async fn run(door: &Door, what: Option<&DevicesVerb>, typed: String, out: &mut Out) -> Result<(), Failure> {
    match what {
        None => {
            let devices = list(door).await?;
            for device in &devices {
                out.object("device", device)?;
            }
            for line in lines(&out.look, &devices) {
                out.line(&line)?;
            }
            Ok(())
        }
        Some(DevicesVerb::Add { history: true, timeout, .. }) => {
            let (before, events) = (list(door).await?, door.events());
            door.ask(Request::AddDevice { code: typed, history: true }).await?;
            let known = |d: &Device| before.iter().any(|b| b.device == d.device);
            let added = list(door).await?.into_iter().find(|d| !known(d));
            let added = added.ok_or_else(Failure::odd_answer)?.device;
            out.line("It is added as soon as the relay has noted it.")?;
            super::handover::follow(door, events, Some(added), *timeout, out).await
        }
        Some(DevicesVerb::Give { device, stop: true, .. }) => {
            let device = Some(find(&list(door).await?, device)?.device);
            door.ask(Request::CancelHandover { device }).await?;
            out.done("It is no longer given your history. What it has already stays on it.")
        }
        Some(DevicesVerb::Give { device, timeout, .. }) => {
            let (device, events) = (find(&list(door).await?, device)?.device, door.events());
            door.ask(Request::GiveHistory { device }).await?;
            super::handover::follow(door, events, Some(device), *timeout, out).await
        }
        Some(DevicesVerb::Add { .. }) => {
            door.ask(Request::AddDevice { code: typed, history: false }).await?;
            out.done("It is added as soon as the relay has noted it, and comes into your chats within a minute.")
        }
        Some(DevicesVerb::Remove { device }) => {
            let device = find(&list(door).await?, device)?.device;
            door.ask(Request::RemoveDevice { device }).await?;
            out.done("It is removed as soon as the relay has noted it. What it has already stays on it.")
        }
        Some(DevicesVerb::Erase { .. }) => {
            door.ask(Request::Erase).await?;
            out.done("Everything of the account is gone from this device.")
        }
    }
}

#[cfg(test)]
mod tests {
    use livechat_node::api::DeviceId;

    use super::*;

    fn device(n: u8) -> Device {
        Device {
            device: DeviceId([n; 32]),
            this: n == 1,
            added_at: 1_800_000_000,
            added_by: (n > 1).then_some(DeviceId([1; 32])),
            removed_at: (n == 3).then_some(1_800_000_060),
            removed_by: None,
            pending: n == 4,
        }
    }

    #[test]
    fn the_ledger_reads_like_this() {
        let look = Look { style: crate::style::Style::new(false), width: 80, zone: jiff::tz::TimeZone::UTC };
        insta::assert_snapshot!(lines(&look, &[1, 2, 3, 4].map(device)).join("\n"));
    }

    #[test]
    fn a_device_is_found_by_number_or_id() {
        let devices = [device(1), device(0x22)];
        assert_eq!(find(&devices, "2").unwrap().device, DeviceId([0x22; 32]));
        assert_eq!(find(&devices, "2222").unwrap().device, DeviceId([0x22; 32]));
        for nothing in ["0", "3", "", "abcd", "22"] {
            assert!(find(&devices, nothing).is_err(), "{nothing:?}");
        }
    }
}
