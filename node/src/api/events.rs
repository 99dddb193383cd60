//! The bounded event stream.

use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Event;

/// What happens from the moment it was asked for. Reading too slowly loses events visibly, as [`Event::Lagged`].
#[derive(Debug)]
pub struct Events(Option<Receiver<Event>>);

impl Events {
    /// A stream over `source`; none when the node is gone already.
    pub(crate) fn new(source: Option<Receiver<Event>>) -> Self {
        Self(source)
    }

    /// The next event; `None` once the node has stopped or the connection to it is lost. May be dropped and called
    /// again at any time without losing anything.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.as_mut()?.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_)) => Some(Event::Lagged),
            Err(RecvError::Closed) => {
                self.0 = None;
                None
            }
        }
    }
}
