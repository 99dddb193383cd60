-- The key of an account's vaults, sealed under the relay's key.
ALTER TABLE accounts ADD COLUMN vault BLOB NOT NULL DEFAULT x'';
