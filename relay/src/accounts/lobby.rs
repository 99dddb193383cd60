//! The lobby's door: whoever is logged in may read it, and put one where none is or where nobody answers.
//! The relay can't open it for anybody: a door lets in, the keys are with those inside.

use livechat_wire::door::Link;
use livechat_wire::http::LobbyDoor;

use super::{Accounts, Authenticated, Fault};
use crate::limits;
use crate::store::accounts::Lobby;

/// What the sealed link is bound to.
const AD: &[u8] = b"lobby";

/// Why a door can't be put up.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LobbyError {
    /// Not a link to a door of this relay that stands for itself.
    #[error("that is no door of a lobby here")]
    NoDoor,
    /// Store or sealing.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// The door, as it stands.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn lobby(&self, _who: &Authenticated) -> Result<LobbyDoor, Fault> {
        let standing = self.0.store.lobby().await?;
        standing.map_or_else(|| Ok(LobbyDoor::default()), |lobby| self.door(&lobby))
    }

    /// Puts a door up; what stands there afterwards, whoever put it.
    ///
    /// # Errors
    /// [`LobbyError`].
    pub async fn put_lobby(
        &self,
        _who: &Authenticated,
        link: &str,
        replaces: Option<u64>,
    ) -> Result<LobbyDoor, LobbyError> {
        let door: Link = link.parse().map_err(|_| LobbyError::NoDoor)?;
        if door.relay != self.relay() || !door.doorkeepers.is_empty() {
            return Err(LobbyError::NoDoor);
        }
        let now = self.now();
        let sealed = self.0.vault.keys.sealer().seal(&self.0.vault.env, AD, &door.encode()).map_err(Fault::from)?;
        let stale_before = now.saturating_sub(limits::LOBBY_DEAD);
        let lobby = self.0.store.put_lobby(sealed, replaces, stale_before, now).await.map_err(Fault::from)?;
        Ok(self.door(&lobby)?)
    }

    /// Somebody in the lobby is about. False: another door stands there.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn renew_lobby(&self, _who: &Authenticated, version: u64) -> Result<bool, Fault> {
        Ok(self.0.store.renew_lobby(version, self.now()).await?)
    }

    fn door(&self, lobby: &Lobby) -> Result<LobbyDoor, Fault> {
        let bytes = self.0.vault.keys.sealer().open(AD, &lobby.sealed)?;
        let link = Link::decode(&bytes).map_err(|_| crate::store::StoreError::Damaged("lobby"))?;
        Ok(LobbyDoor {
            link: Some(livechat_wire::http::SecretText(link.to_string())),
            version: lobby.version,
            renewed_at: lobby.renewed_at,
            replaceable: lobby.renewed_at < self.now().saturating_sub(limits::LOBBY_DEAD),
        })
    }
}
