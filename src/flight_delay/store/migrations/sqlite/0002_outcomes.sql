-- What became of flights, as it was told: JSON, with the flight in it.
CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    told_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    prediction_id INTEGER REFERENCES predictions (id)
);

CREATE INDEX outcomes_by_time ON outcomes (told_at);

CREATE TRIGGER outcomes_are_never_changed BEFORE UPDATE ON outcomes
BEGIN
    SELECT RAISE(ABORT, 'outcomes are append-only');
END;

CREATE TRIGGER outcomes_are_never_deleted BEFORE DELETE ON outcomes
BEGIN
    SELECT RAISE(ABORT, 'outcomes are append-only');
END;
