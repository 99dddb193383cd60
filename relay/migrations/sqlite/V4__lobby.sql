-- The door of the relay's lobby (see relay/src/store/accounts.rs): one row, or none.
CREATE TABLE lobby (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    version    INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    renewed_at INTEGER NOT NULL
) STRICT;
