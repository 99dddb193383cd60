-- Envelopes in the order of their numbers (see relay/src/store/envelopes.rs). One file is one origin: numbers are the
-- row ids, never used twice.
CREATE TABLE envelopes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id       BLOB    NOT NULL UNIQUE,
    bucket   INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    bytes    BLOB    NOT NULL
) STRICT;
CREATE INDEX envelopes_of_bucket ON envelopes (bucket, sequence);

-- One row: the origin of this file, and the token of the process that holds it.
CREATE TABLE origin (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    INTEGER NOT NULL,
    token INTEGER NOT NULL
) STRICT;
