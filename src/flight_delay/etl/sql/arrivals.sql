-- One row per flight with a scheduled arrival and a known destination, keyed by line: the first instant after the departure at which the destination's clock shows that time.
WITH candidates AS (
    SELECT
        d.line, d.sched_dep_utc, d.arr_delay, d.dest_tz,
        cast(d.flight_date AS timestamp)
        + (shift.days * 1440 + cast(floor(d.sched_arr_time / 100) AS int) * 60 + d.sched_arr_time % 100) * INTERVAL '1' MINUTE
        AS sched_arr_local
    FROM departures AS d
    CROSS JOIN (SELECT -1 AS days UNION ALL SELECT 0 AS days UNION ALL SELECT 1 AS days UNION ALL SELECT 2 AS days) AS shift
    WHERE d.sched_arr_time IS NOT NULL AND d.dest_tz IS NOT NULL
),
instants AS (
    SELECT
        c.line, c.sched_dep_utc, c.arr_delay,
        c.sched_arr_local - z.offset_min * INTERVAL '1' MINUTE AS sched_arr_utc
    FROM candidates AS c
    JOIN offsets AS z
        ON z.tz = c.dest_tz AND c.sched_arr_local >= z.local_from AND c.sched_arr_local < z.local_until
)
SELECT
    line,
    min(sched_arr_utc) AS sched_arr_utc,
    min(sched_arr_utc + arr_delay * INTERVAL '1' MINUTE) AS arr_utc
FROM instants
WHERE sched_arr_utc > sched_dep_utc
GROUP BY line
