-- Where a model came from: who sent or trained it, under which name, and what its examination found (JSON).
ALTER TABLE models ADD COLUMN filename TEXT NOT NULL DEFAULT '';
ALTER TABLE models ADD COLUMN added_by TEXT NOT NULL DEFAULT '';
ALTER TABLE models ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
-- A deleted model keeps its row, without its artefact: what it answered stays explained.
ALTER TABLE models ADD COLUMN deleted_at TEXT;
ALTER TABLE models ADD COLUMN deleted_by TEXT;

-- What made a version live: 'training', 'upload', 'promotion' or 'rollback'; and the gate's word where it was overruled.
ALTER TABLE promotions ADD COLUMN action TEXT NOT NULL DEFAULT 'promotion';
ALTER TABLE promotions ADD COLUMN promoted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE promotions ADD COLUMN overruled TEXT;

-- The newest row says which version is scored beside the live one; NULL is none.
CREATE TABLE shadows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER REFERENCES models (version),
    since TEXT NOT NULL,
    set_by TEXT NOT NULL
);

CREATE TABLE shadow_predictions (
    prediction_id INTEGER NOT NULL,
    model_version INTEGER NOT NULL REFERENCES models (version),
    prediction REAL NOT NULL,
    PRIMARY KEY (model_version, prediction_id)
);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at TEXT,
    revoked_by TEXT
);

-- What was taken out of the history: by which criteria (JSON), how many; never what it was.
CREATE TABLE deletions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deleted_at TEXT NOT NULL,
    deleted_by TEXT NOT NULL,
    criteria TEXT NOT NULL,
    predictions INTEGER NOT NULL,
    -- The greatest id that was there: it is not given again.
    last_id INTEGER NOT NULL
);

CREATE TRIGGER deletions_are_never_changed BEFORE UPDATE ON deletions
BEGIN
    SELECT RAISE(ABORT, 'deletions are append-only');
END;

CREATE TRIGGER deletions_are_never_deleted BEFORE DELETE ON deletions
BEGIN
    SELECT RAISE(ABORT, 'deletions are append-only');
END;

-- How far the predictions that a process kept on its own disk were taken up: each is taken up once.
CREATE TABLE spools (
    id TEXT PRIMARY KEY,
    batch INTEGER NOT NULL
);

CREATE INDEX predictions_by_time ON predictions (predicted_at);

-- A prediction may be deleted, what became of its flight stays: without the reference, which SQLite can only leave
-- out of a table that is made anew.
CREATE TABLE outcomes_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    told_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    prediction_id INTEGER
);
INSERT INTO outcomes_anew (id, told_at, outcome, prediction_id) SELECT id, told_at, outcome, prediction_id FROM outcomes;
DROP TABLE outcomes;
ALTER TABLE outcomes_anew RENAME TO outcomes;

CREATE INDEX outcomes_by_time ON outcomes (told_at);

CREATE TRIGGER outcomes_are_never_changed BEFORE UPDATE ON outcomes
BEGIN
    SELECT RAISE(ABORT, 'outcomes are append-only');
END;

CREATE TRIGGER outcomes_are_never_deleted BEFORE DELETE ON outcomes
BEGIN
    SELECT RAISE(ABORT, 'outcomes are append-only');
END;
