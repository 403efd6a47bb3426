-- How many requests a key may make in a minute; NULL: as many as the setting says.
ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER;
