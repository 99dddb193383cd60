//! Any text as any JSON body of the relay's API: no panic.
#![no_main]

use livechat_wire::http::*;

macro_rules! each {
    ($bytes:ident: $($t:ty),* $(,)?) => { $(
        if let Ok(value) = serde_json::from_slice::<$t>($bytes) {
            let again = serde_json::to_vec(&value).expect("what was read can be written");
            assert_eq!(serde_json::from_slice::<$t>(&again).expect("and read again"), value);
        }
    )* };
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    each!(bytes: RelayInfo, UsernameAvailability, BeginSignUp, PendingSignUp, ConfirmSignUp, SignedUp, LogIn,
        DeviceProof, Session, SessionList, SessionInfo, PublishKeyPackages, KeyPackageStock, Claim, DirectoryEntry,
        DirectoryDevice, WithCode, ConfirmAuthenticator, VaultAsk, VaultAnswer, RecoveryCodes, BlobSpace, BeginBlob,
        BlobState, LiveCount, PendDevice, PendingDevice, PutLog, LobbyDoor, PutLobby, RenewLobby, ClaimSession,
        ClaimedSession, OwnLog, ChangeName, Problem);
});
