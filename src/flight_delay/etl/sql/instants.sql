-- One row per accepted line, keyed by line: with both airports, and the instants in UTC; the arrival is due at the first instant after the departure at which the destination's clock shows its time.
WITH located AS (
    SELECT
        t.*,
        o.lat AS origin_lat, o.lon AS origin_lon, o.tz AS origin_tz,
        d.lat AS dest_lat, d.lon AS dest_lon, d.tz AS dest_tz,
        cast(t.flight_date AS timestamp)
        + (cast(floor(t.sched_dep_time / 100) AS int) * 60 + t.sched_dep_time % 100) * INTERVAL '1' MINUTE AS dep_local,
        cast(t.flight_date AS timestamp)
        + (cast(floor(t.sched_arr_time / 100) AS int) * 60 + t.sched_arr_time % 100) * INTERVAL '1' MINUTE AS arr_local
    FROM flights_typed AS t
    JOIN airports AS o ON o.code = t.origin
    LEFT JOIN airports AS d ON d.code = t.dest
    WHERE t.reason IS NULL
),
-- A flight over the date line may arrive on the day before that of its departure, or two days after it.
possible AS (
    SELECT
        l.*,
        l.dep_local - z.offset_min * INTERVAL '1' MINUTE AS sched_dep_utc,
        l.arr_local - INTERVAL '1' DAY - a.offset_min * INTERVAL '1' MINUTE AS before_utc,
        l.arr_local - b.offset_min * INTERVAL '1' MINUTE AS same_utc,
        l.arr_local + INTERVAL '1' DAY - c.offset_min * INTERVAL '1' MINUTE AS next_utc,
        l.arr_local + INTERVAL '2' DAY - e.offset_min * INTERVAL '1' MINUTE AS third_utc
    FROM located AS l
    LEFT JOIN offsets AS z
        ON z.tz = l.origin_tz AND z.year = extract(YEAR FROM l.dep_local)
        AND l.dep_local >= z.local_from AND l.dep_local < z.local_until
    LEFT JOIN offsets AS a
        ON a.tz = l.dest_tz AND a.year = extract(YEAR FROM l.arr_local - INTERVAL '1' DAY)
        AND l.arr_local - INTERVAL '1' DAY >= a.local_from AND l.arr_local - INTERVAL '1' DAY < a.local_until
    LEFT JOIN offsets AS b
        ON b.tz = l.dest_tz AND b.year = extract(YEAR FROM l.arr_local)
        AND l.arr_local >= b.local_from AND l.arr_local < b.local_until
    LEFT JOIN offsets AS c
        ON c.tz = l.dest_tz AND c.year = extract(YEAR FROM l.arr_local + INTERVAL '1' DAY)
        AND l.arr_local + INTERVAL '1' DAY >= c.local_from AND l.arr_local + INTERVAL '1' DAY < c.local_until
    LEFT JOIN offsets AS e
        ON e.tz = l.dest_tz AND e.year = extract(YEAR FROM l.arr_local + INTERVAL '2' DAY)
        AND l.arr_local + INTERVAL '2' DAY >= e.local_from AND l.arr_local + INTERVAL '2' DAY < e.local_until
),
due AS (
    SELECT
        *,
        CASE
            WHEN before_utc > sched_dep_utc THEN before_utc
            WHEN same_utc > sched_dep_utc THEN same_utc
            WHEN next_utc > sched_dep_utc THEN next_utc
            WHEN third_utc > sched_dep_utc THEN third_utc
        END AS sched_arr_utc
    FROM possible
)
SELECT
    line, id, year, month, day, sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time, arr_delay,
    air_time_min, distance_km, carrier, carrier_name, flight, tailnum, aircraft, origin, dest, cancelled, diverted,
    origin_lat, origin_lon, origin_tz, dest_lat, dest_lon, dest_tz,
    sched_dep_utc, sched_dep_utc + dep_delay * INTERVAL '1' MINUTE AS dep_utc,
    sched_arr_utc, sched_arr_utc + arr_delay * INTERVAL '1' MINUTE AS arr_utc
FROM due
