-- Everything crypto, engine and node keep: ordered bytes under namespaces (livechat_crypto::kv).
CREATE TABLE kv (
    ns INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (ns, key)
) WITHOUT ROWID;
