//! History to another device of the account, and from one: `devices add --history`, `devices give`, `link --history`.

use std::time::Duration;

use livechat_node::api::{
    DeviceId, Event, Events, Handover, HandoverStep, HistorySize, Request, Response, TransferState,
};
use tokio::time::Instant;

use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::said::bytes;

/// Where it stands, for people.
#[must_use]
pub fn words(handover: &Handover) -> String {
    let Handover { device, step, messages, done, total, state } = handover;
    let whose = if device.is_some() { "Your history" } else { "The history of your other device" };
    let counted = |n: u64| if n == 1 { "1 message".to_owned() } else { format!("{n} messages") };
    match (state, step) {
        (TransferState::Waiting { reason }, _) => format!("{whose} waits. {reason}"),
        (TransferState::Failed { message, hint }, _) => format!("{whose} didn't get through. {message} {hint}"),
        (TransferState::Cancelled, _) => format!("{whose} was stopped."),
        (TransferState::Done, _) if device.is_some() => {
            format!("{whose}, {}, is sealed at the relay; the other device fetches it.", counted(*messages))
        }
        (TransferState::Done, _) => format!("{whose} is here: {} came.", counted(*messages)),
        (TransferState::Running, HandoverStep::Gathering) => format!("{whose}: {} sealed so far.", counted(*messages)),
        (TransferState::Running, HandoverStep::Moving) => {
            let way = if device.is_some() { "to" } else { "from" };
            format!("{whose}: {} of {} {way} the relay.", bytes(*done), bytes(*total))
        }
        (TransferState::Running, HandoverStep::Restoring) => format!("{whose} is being written to this device."),
    }
}

/// How much there is, and what giving it means.
///
/// # Errors
/// What the node refuses.
pub async fn offer(door: &Door) -> Result<String, Failure> {
    let Response::HistorySize(HistorySize { messages, bytes: size }) = door.ask(Request::HistorySize).await? else {
        return Err(Failure::odd_answer());
    };
    Ok(format!(
        "There is history to give: {messages} messages and your contacts, {} in all. The new device can then read and \
         search it, and so can whoever has that device. It is sealed for it alone; the relay sees its size. Disappearing \
         messages aren't in it; files are fetched anew while the relay keeps them.",
        bytes(size)
    ))
}

/// All that are under way, wait or failed.
///
/// # Errors
/// What the node refuses.
pub async fn list(door: &Door) -> Result<Vec<Handover>, Failure> {
    match door.ask(Request::Handovers).await? {
        Response::Handovers { handovers } => Ok(handovers),
        _ => Err(Failure::odd_answer()),
    }
}

/// Tells how a handover goes until it is over.
///
/// # Errors
/// It failed or was stopped, or doesn't move for so many seconds; it goes on by itself then.
pub async fn follow(
    door: &Door,
    mut events: Events,
    device: Option<DeviceId>,
    seconds: u64,
    out: &mut Out,
) -> Result<(), Failure> {
    let patience = Duration::from_secs(seconds);
    let mut deadline = Instant::now() + patience;
    let (mut last, mut told) = (None::<Handover>, None);
    loop {
        let now = match tokio::time::timeout_at(deadline, next(door, &mut events, device, last.is_some())).await {
            Ok(now) => now?,
            Err(_) => return Err(stuck(last.as_ref())),
        };
        // Gone from the list without a word that reached us.
        let Some(now) = now else { return out.done("It is done.") };
        out.object("handover", &now)?;
        match &now.state {
            TransferState::Done => return if out.json() { Ok(()) } else { out.line(&words(&now)) },
            TransferState::Failed { message, hint } => {
                return Err(Failure::new(Exit::Failure, message.clone(), hint.clone()));
            }
            TransferState::Cancelled => {
                return Err(Failure::new(Exit::Failure, "Somebody stopped it.", "livechat devices give begins anew."));
            }
            TransferState::Waiting { .. } | TransferState::Running => {}
        }
        if last.as_ref().is_none_or(|l| (l.step, l.done) != (now.step, now.done)) {
            deadline = Instant::now() + patience;
        }
        let state = (now.step, std::mem::discriminant(&now.state));
        if told.replace(state) != Some(state) {
            out.line(&words(&now))?;
        }
        last = Some(now);
    }
}

/// What is told next of this handover; none when it was under way and isn't any more.
async fn next(
    door: &Door,
    events: &mut Events,
    device: Option<DeviceId>,
    begun: bool,
) -> Result<Option<Handover>, Failure> {
    loop {
        match events.next().await {
            Some(Event::HandoverChanged { handover }) if handover.device == device => return Ok(Some(handover)),
            Some(Event::Lagged) => {
                let found = list(door).await?.into_iter().find(|h| h.device == device);
                if found.is_some() || begun {
                    return Ok(found);
                }
            }
            Some(_) => {}
            None => return Err(Failure::new(Exit::Failure, "The node has stopped.", "It goes on when it is started.")),
        }
    }
}

fn stuck(last: Option<&Handover>) -> Failure {
    let (why, hint) = match last {
        None => (
            "No history has come yet.".to_owned(),
            "On the other device: livechat devices give, /devices give, or Devices in the menu of the page. It is taken \
             over by itself as soon as it comes.",
        ),
        Some(last) => (words(last), "It goes on by itself while the nodes run."),
    };
    Failure::new(Exit::Unreachable, why, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_said_on_both_sides() {
        let states = [
            (HandoverStep::Gathering, TransferState::Waiting { reason: "The relay is away.".into() }),
            (HandoverStep::Gathering, TransferState::Running),
            (HandoverStep::Moving, TransferState::Running),
            (HandoverStep::Restoring, TransferState::Running),
            (HandoverStep::Restoring, TransferState::Done),
            (HandoverStep::Moving, TransferState::Cancelled),
            (HandoverStep::Moving, TransferState::Failed { message: "It is gone.".into(), hint: "Again.".into() }),
        ];
        let mut said = Vec::new();
        for device in [Some(DeviceId([1; 32])), None] {
            for (step, state) in states.clone() {
                said.push(words(&Handover { device, step, messages: 7, done: 3 << 20, total: 5 << 20, state }));
            }
        }
        insta::assert_snapshot!(said.join("\n"));
    }
}
