-- An account keeps its key when its name changes; names lead to accounts, former ones until they are free again.
-- Runs with foreign keys off: taking the old table away must not take what hangs on it (relay/src/store/sqlite/mod.rs).

CREATE TABLE names (
    name       BLOB PRIMARY KEY,
    skeleton   BLOB NOT NULL,
    account    BLOB NOT NULL REFERENCES accounts (account) ON DELETE CASCADE,
    held_until INTEGER                                      -- none: the name of an account
) STRICT, WITHOUT ROWID;
INSERT INTO names SELECT name, skeleton, name, CASE state WHEN 1 THEN NULL ELSE expires_at END FROM accounts;
CREATE INDEX names_skeleton ON names (skeleton);
CREATE INDEX names_account ON names (account);
CREATE INDEX names_expiry ON names (held_until) WHERE held_until IS NOT NULL;

ALTER TABLE accounts RENAME COLUMN name TO account;
ALTER TABLE authenticators RENAME COLUMN name TO account;
ALTER TABLE recovery_codes RENAME COLUMN name TO account;
ALTER TABLE sessions RENAME COLUMN name TO account;
ALTER TABLE devices RENAME COLUMN name TO account;
ALTER TABLE key_packages RENAME COLUMN name TO account;
ALTER TABLE pending_devices RENAME COLUMN name TO account;

CREATE TABLE accounts_by_key (
    account    BLOB PRIMARY KEY,
    state      INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- pending, active, deleted
    token      BLOB UNIQUE,                                 -- of the sign-up
    tries      INTEGER NOT NULL DEFAULT 0,                  -- at confirming it
    expires_at INTEGER,                                     -- of the sign-up's token, or of a deleted account's name
    sealed     BLOB NOT NULL,
    vault      BLOB NOT NULL DEFAULT x''
) STRICT;
INSERT INTO accounts_by_key SELECT account, state, token, tries, expires_at, sealed, vault FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_by_key RENAME TO accounts;
CREATE INDEX accounts_expiry ON accounts (expires_at) WHERE state <> 1;
