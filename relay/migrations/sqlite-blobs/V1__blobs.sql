-- Sealed files, in a database file of their own (docs/adr/0005): keyed hashes, random ids and ciphertext. Times are Unix
-- seconds. The number ties parts to their blob; it is never used twice.
CREATE TABLE blobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id     BLOB    NOT NULL UNIQUE,
    owner  BLOB    NOT NULL,
    size   INTEGER NOT NULL,
    parts  INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT;
CREATE INDEX blobs_of_owner ON blobs (owner);
CREATE INDEX blobs_by_time ON blobs (until);

CREATE TABLE blob_parts (
    number   INTEGER NOT NULL,
    position INTEGER NOT NULL,
    bytes    BLOB    NOT NULL,
    UNIQUE (number, position)
) STRICT;
