-- One row per flight, keyed by line: the accepted lines with both airports and the instants of departure in UTC; never a set-aside line.
WITH located AS (
    SELECT
        t.*,
        o.lat AS origin_lat, o.lon AS origin_lon, o.tz AS origin_tz,
        d.lat AS dest_lat, d.lon AS dest_lon, d.tz AS dest_tz,
        cast(t.flight_date AS timestamp)
        + (cast(floor(t.sched_dep_time / 100) AS int) * 60 + t.sched_dep_time % 100) * INTERVAL '1' MINUTE AS sched_dep_local
    FROM flights_typed AS t
    JOIN airports AS o ON o.code = t.origin
    LEFT JOIN airports AS d ON d.code = t.dest
    WHERE t.reason IS NULL
)
SELECT
    l.*,
    l.sched_dep_local - z.offset_min * INTERVAL '1' MINUTE AS sched_dep_utc,
    l.sched_dep_local - z.offset_min * INTERVAL '1' MINUTE + l.dep_delay * INTERVAL '1' MINUTE AS dep_utc
FROM located AS l
LEFT JOIN offsets AS z
    ON z.tz = l.origin_tz AND l.sched_dep_local >= z.local_from AND l.sched_dep_local < z.local_until
