-- The order of commits (see relay/src/store/slots.rs). A slot's next index and the time of its last entry outlive the
-- entries, so that no index is ever given twice.
CREATE TABLE slots (
    slot     BLOB    PRIMARY KEY,
    next     INTEGER NOT NULL,
    time     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_by_time ON slots (time);

CREATE TABLE slot_entries (
    slot     BLOB    NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    time     INTEGER NOT NULL,
    bytes    BLOB    NOT NULL,
    PRIMARY KEY (slot, position),
    UNIQUE (slot, hash)
) STRICT;
CREATE INDEX slot_entries_by_time ON slot_entries (time);
