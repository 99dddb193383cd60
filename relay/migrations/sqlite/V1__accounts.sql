-- Accounts. Keys are HMACs under the relay's key or random, blobs are sealed under it (relay/src/store/accounts.rs):
-- nothing here names a person, a device or a secret. Times are Unix seconds.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    name       BLOB PRIMARY KEY,
    skeleton   BLOB NOT NULL UNIQUE,
    state      INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- pending, active, deleted
    token      BLOB UNIQUE,                                 -- of the sign-up
    tries      INTEGER NOT NULL DEFAULT 0,                  -- at confirming it
    expires_at INTEGER,                                     -- of the sign-up's token, or of a deleted name
    sealed     BLOB NOT NULL
) STRICT;
CREATE INDEX accounts_expiry ON accounts (expires_at) WHERE state <> 1;

CREATE TABLE authenticators (
    id         BLOB PRIMARY KEY,
    name       BLOB NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    sealed     BLOB NOT NULL,
    last_step  INTEGER NOT NULL,
    token      BLOB,                                        -- while being set up
    tries      INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX authenticators_name ON authenticators (name);

CREATE TABLE recovery_codes (
    name BLOB NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    code BLOB NOT NULL,
    PRIMARY KEY (name, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (
    budget    BLOB PRIMARY KEY,
    used      INTEGER NOT NULL,
    resets_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX budgets_expiry ON budgets (resets_at);

CREATE TABLE proofs (
    proof      BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proofs_expiry ON proofs (expires_at);

CREATE TABLE sessions (
    token      BLOB PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    name       BLOB NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    sealed     BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_name ON sessions (name);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE devices (
    name        BLOB NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    device      BLOB NOT NULL,
    bundle      BLOB NOT NULL,
    last_resort BLOB,
    PRIMARY KEY (name, device)
) STRICT;

CREATE TABLE key_packages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name   BLOB NOT NULL,
    device BLOB NOT NULL,
    sealed BLOB NOT NULL,
    FOREIGN KEY (name, device) REFERENCES devices (name, device) ON DELETE CASCADE
) STRICT;
CREATE INDEX key_packages_device ON key_packages (name, device, number);
