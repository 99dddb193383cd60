//! Sealing what is queued, and sealing it again: same fragment, same number, fresh one-time key and epoch.

use livechat_crypto::envelope::{Address, EnvelopeKeys, HelloKeys, seal_hello};
use livechat_wire::Envelope;
use livechat_wire::envelope::epoch_at;
use livechat_wire::hello::Hello;

use crate::errors::HandleError;
use crate::records::{Queued, Seal};
use crate::turn::Turn;
use crate::{Engine, limits};

impl Engine {
    pub(super) fn seal(&self, turn: &mut Turn<'_>, bucket: u16, seal: &Seal) -> Result<Envelope, HandleError> {
        let to = Address { bucket, epoch: epoch_at(turn.seconds()), ephemeral: false };
        match seal {
            Seal::Hello { hello_key, hello } => {
                let hello = Hello::decode(&hello[..]).map_err(|_| HandleError::Inconsistent("a hello that is none"))?;
                // Whether something can be sealed to the key was tried before it was queued.
                seal_hello(hello_key, &hello, to, turn.rng).map_err(|e| HandleError::Mls(Box::new(e)))
            }
            Seal::Introduction { secret, fragment } => {
                Ok(HelloKeys::new(secret).seal(fragment.index, fragment, to, turn.rng))
            }
            Seal::Group { group, epoch, counter, fragment } => {
                let live = self.groups.get(group);
                let leaf = live.and_then(|g| g.record.epochs.iter().find(|e| e.number == *epoch)).map(|e| e.own_leaf);
                let keys = live.and_then(|g| g.keys.get(epoch));
                let (Some(leaf), Some(keys)) = (leaf, keys) else {
                    return Err(HandleError::Inconsistent("a queued payload of an epoch that isn't there"));
                };
                Ok(keys.seal(leaf, *counter, fragment, to, turn.rng))
            }
            Seal::Late { secret, leaf, counter, fragment } => {
                Ok(EnvelopeKeys::new(secret).seal(*leaf, *counter, fragment, to, turn.rng))
            }
        }
    }

    /// Seals a parcel anew; the caller stores `queued`.
    pub(super) fn seal_again(
        &mut self,
        turn: &mut Turn<'_>,
        sequence: u64,
        queued: &mut Queued,
        at: usize,
    ) -> Result<Envelope, HandleError> {
        let parcel = &mut queued.parcels[at];
        let envelope = self.seal(turn, parcel.bucket, &parcel.seal)?;
        let id = envelope.id();
        self.seen.put(turn.kv, id, turn.clock)?;
        parcel.envelope = envelope.as_bytes().to_vec();
        parcel.ids.push(id);
        if parcel.ids.len() > limits::SEALINGS {
            let oldest = parcel.ids.remove(0);
            self.outbox.by_envelope.remove(&oldest);
        }
        self.outbox.by_envelope.insert(id, (sequence, at));
        Ok(envelope)
    }
}
