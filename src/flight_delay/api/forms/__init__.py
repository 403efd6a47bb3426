"""The forms in which many flights are asked and answered: JSON, NDJSON, Arrow and Parquet."""
