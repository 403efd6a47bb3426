CREATE TABLE models (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    source_sha256 TEXT NOT NULL,
    artifact BLOB NOT NULL,
    added_at TEXT NOT NULL
);

CREATE INDEX models_by_source ON models (source_sha256);

-- The newest row says which model is live; its number is the generation that every process follows.
CREATE TABLE promotions (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL REFERENCES models (version),
    promoted_at TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE TRIGGER promotions_are_never_changed BEFORE UPDATE ON promotions
BEGIN
    SELECT RAISE(ABORT, 'promotions are append-only');
END;

CREATE TRIGGER promotions_are_never_deleted BEFORE DELETE ON promotions
BEGIN
    SELECT RAISE(ABORT, 'promotions are append-only');
END;

CREATE TABLE predictions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    predicted_at TEXT NOT NULL,
    request_id TEXT NOT NULL,
    model_version INTEGER NOT NULL REFERENCES models (version),
    input TEXT NOT NULL,
    prediction REAL NOT NULL
);
