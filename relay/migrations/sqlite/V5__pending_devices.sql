-- A device that waits to be one of its account's, sealed under the relay's key.
CREATE TABLE pending_devices (
    name       BLOB PRIMARY KEY REFERENCES accounts (name) ON DELETE CASCADE,
    bundle     BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_devices_expiry ON pending_devices (expires_at);
