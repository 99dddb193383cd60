//! Talking: content in, private MLS messages out, and back.

use openmls::framing::errors::MessageDecryptionError;
use openmls::prelude::{
    ContentType, MlsMessageBodyIn, ProcessMessageError, ProcessedMessageContent, ProtocolMessage, Sender,
    ValidationError, tls_codec,
};
use tls_codec::Serialize;

use super::provider::StorageError;
use super::{
    DecryptError, DeviceSigner, EncryptError, GroupId, Member, MlsError, Opened, Sealed, Session, account, load,
    message, roster,
};

impl Session<'_> {
    /// Encrypts content for everyone in a group; `aad` goes along readable by members and relays of the MLS message,
    /// and bound to it.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt(&mut self, group: &GroupId, content: &[u8], aad: &[u8]) -> Result<Sealed, EncryptError> {
        let signer = DeviceSigner(self.identity);
        let provider = self.provider();
        let mut group = load(&provider, group)?.ok_or(EncryptError::UnknownGroup)?;
        group.set_aad(aad.to_vec());
        let message = group.create_message(&provider, &signer, content).map_err(MlsError::new)?;
        let message = message.tls_serialize_detached().map_err(MlsError::new)?;
        let epoch = group.epoch().as_u64();
        provider.commit()?;
        Ok(Sealed { message, epoch })
    }

    /// Decrypts a message and says who sent it.
    ///
    /// # Errors
    /// [`DecryptError`]; a message that fails changes nothing.
    pub fn decrypt(&mut self, id: &GroupId, bytes: &[u8]) -> Result<Opened, DecryptError> {
        let Some(MlsMessageBodyIn::PrivateMessage(private)) = message(bytes) else {
            return Err(DecryptError::Malformed);
        };
        let protocol = ProtocolMessage::from(private);
        if protocol.group_id().as_slice() != id.0 {
            return Err(DecryptError::OtherGroup);
        }
        if protocol.content_type() != ContentType::Application {
            return Err(DecryptError::NotContent);
        }
        let provider = self.provider();
        let mut group = load(&provider, id)?.ok_or(DecryptError::UnknownGroup)?;
        let processed = group.process_message(&provider, protocol).map_err(process_error)?;
        let epoch = processed.epoch().as_u64();
        let aad = processed.aad().to_vec();
        let claimed = account(processed.credential());
        let Sender::Member(leaf) = *processed.sender() else { return Err(DecryptError::NotContent) };
        let content = match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(content) => content.into_bytes(),
            ProcessedMessageContent::OwnPrivateMessage => return Err(DecryptError::Own),
            _ => return Err(DecryptError::NotContent),
        };
        // In a past epoch somebody else may have sat at that leaf.
        let sender = if epoch == group.epoch().as_u64() {
            group.member_at(leaf).and_then(|m| Member::of_mls(&m))
        } else {
            roster::at(provider.kv(), id, epoch, leaf.u32())?
        };
        let sender = sender.filter(|m| Some(m.account) == claimed).ok_or(DecryptError::Epoch)?;
        provider.commit()?;
        Ok(Opened { content, aad, sender, epoch })
    }
}

fn process_error(error: ProcessMessageError<StorageError>) -> DecryptError {
    match error {
        ProcessMessageError::StorageError(e) => e.into(),
        ProcessMessageError::LibraryError(e) => MlsError::new(e).into(),
        ProcessMessageError::ValidationError(e) => match e {
            ValidationError::LibraryError(e) => MlsError::new(e).into(),
            ValidationError::NoPastEpochData | ValidationError::WrongEpoch => DecryptError::Epoch,
            ValidationError::UnableToDecrypt(
                MessageDecryptionError::SecretTreeError(_) | MessageDecryptionError::GenerationOutOfBound,
            ) => DecryptError::Window,
            _ => DecryptError::Forged,
        },
        _ => DecryptError::Forged,
    }
}
