-- Many predictions that were answered together: one row, with what was asked and answered as compressed columns.
CREATE TABLE batches (
    id BIGINT PRIMARY KEY,
    predicted_at TEXT COLLATE "C" NOT NULL,
    request_id TEXT NOT NULL,
    model_version BIGINT NOT NULL REFERENCES models (version),
    rows BIGINT NOT NULL,
    inputs BYTEA NOT NULL,
    predictions BYTEA NOT NULL
);

-- They are compressed already.
ALTER TABLE batches ALTER COLUMN inputs SET STORAGE EXTERNAL;
ALTER TABLE batches ALTER COLUMN predictions SET STORAGE EXTERNAL;

CREATE INDEX batches_by_time ON batches (predicted_at);
CREATE INDEX batches_by_request ON batches (request_id);

-- How many of the predictions were in how many batches; and the greatest id of a batch that was there.
ALTER TABLE deletions ADD COLUMN batches BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deletions ADD COLUMN last_batch_id BIGINT NOT NULL DEFAULT 0;
