-- Many predictions that were answered together: one row, with what was asked and answered as compressed columns.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    predicted_at TEXT NOT NULL,
    request_id TEXT NOT NULL,
    model_version INTEGER NOT NULL REFERENCES models (version),
    rows INTEGER NOT NULL,
    inputs BLOB NOT NULL,
    predictions BLOB NOT NULL
);

CREATE INDEX batches_by_time ON batches (predicted_at);
CREATE INDEX batches_by_request ON batches (request_id);

-- How many of the predictions were in how many batches; and the greatest id of a batch that was there.
ALTER TABLE deletions ADD COLUMN batches INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deletions ADD COLUMN last_batch_id INTEGER NOT NULL DEFAULT 0;
