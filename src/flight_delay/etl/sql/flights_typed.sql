-- One row per line of the source, keyed by line, typed; reason says why the line must be set aside, NULL that it need not. Drops nothing.
WITH typed AS (
    SELECT
        line,
        try_cast(id AS bigint) AS id,
        year AS year_text, try_cast(try_cast(year AS double) AS int) AS year,
        month AS month_text, try_cast(try_cast(month AS double) AS int) AS month,
        day AS day_text, try_cast(try_cast(day AS double) AS int) AS day,
        sched_dep_time AS sched_dep_text, try_cast(try_cast(sched_dep_time AS double) AS int) AS sched_dep_time,
        dep_time AS dep_text, try_cast(try_cast(dep_time AS double) AS int) AS dep_time,
        dep_delay AS dep_delay_text, try_cast(try_cast(dep_delay AS double) AS int) AS dep_delay,
        sched_arr_time AS sched_arr_text, try_cast(try_cast(sched_arr_time AS double) AS int) AS sched_arr_time,
        arr_time AS arr_text, try_cast(try_cast(arr_time AS double) AS int) AS arr_time,
        arr_delay AS arr_delay_text, try_cast(try_cast(arr_delay AS double) AS int) AS arr_delay,
        air_time_min AS air_time_text, try_cast(try_cast(air_time_min AS double) AS int) AS air_time_min,
        distance_mi AS distance_text, try_cast(distance_mi AS double) * 1.609344 AS distance_km,
        flight AS flight_text, try_cast(try_cast(flight AS double) AS int) AS flight,
        upper(trim(carrier)) AS carrier,
        carrier_name,
        upper(trim(tailnum)) AS tailnum,
        upper(trim(origin)) AS origin,
        upper(trim(dest)) AS dest
    FROM raw_flights
),
numbered AS (
    SELECT
        *,
        try_cast(concat_ws(
            '-', lpad(cast(year AS string), 4, '0'), lpad(cast(month AS string), 2, '0'), lpad(cast(day AS string), 2, '0')
        ) AS date) AS flight_date,
        row_number() OVER (
            PARTITION BY year, month, day, sched_dep_time, carrier, flight, origin ORDER BY line
        ) AS occurrence
    FROM typed
)
SELECT
    n.line, n.id, n.year, n.month, n.day, n.flight_date, n.sched_dep_time, n.dep_time, n.dep_delay,
    n.sched_arr_time, n.arr_time, n.arr_delay, n.air_time_min, n.distance_km,
    n.carrier, n.carrier_name, n.flight, n.tailnum, n.origin, n.dest,
    CASE
        WHEN
            (n.year_text IS NULL) <> (n.year IS NULL) OR (n.month_text IS NULL) <> (n.month IS NULL)
            OR (n.day_text IS NULL) <> (n.day IS NULL) OR (n.sched_dep_text IS NULL) <> (n.sched_dep_time IS NULL)
            OR (n.dep_text IS NULL) <> (n.dep_time IS NULL) OR (n.dep_delay_text IS NULL) <> (n.dep_delay IS NULL)
            OR (n.sched_arr_text IS NULL) <> (n.sched_arr_time IS NULL) OR (n.arr_text IS NULL) <> (n.arr_time IS NULL)
            OR (n.arr_delay_text IS NULL) <> (n.arr_delay IS NULL) OR (n.air_time_text IS NULL) <> (n.air_time_min IS NULL)
            OR (n.distance_text IS NULL) <> (n.distance_km IS NULL) OR (n.flight_text IS NULL) <> (n.flight IS NULL)
            THEN 'unreadable_number'
        WHEN
            n.year IS NULL OR n.month IS NULL OR n.day IS NULL OR n.sched_dep_time IS NULL
            OR n.carrier IS NULL OR n.flight IS NULL OR n.origin IS NULL OR n.dest IS NULL
            THEN 'incomplete'
        WHEN n.flight_date IS NULL THEN 'no_such_date'
        WHEN
            n.sched_dep_time NOT BETWEEN 0 AND 2400 OR n.sched_dep_time % 100 > 59
            OR n.sched_arr_time NOT BETWEEN 0 AND 2400 OR n.sched_arr_time % 100 > 59
            OR n.dep_time NOT BETWEEN 0 AND 2400 OR n.dep_time % 100 > 59
            OR n.arr_time NOT BETWEEN 0 AND 2400 OR n.arr_time % 100 > 59
            THEN 'no_such_time'
        WHEN a.code IS NULL THEN 'unknown_origin'
        WHEN n.occurrence > 1 THEN 'repeated'
    END AS reason
FROM numbered AS n
LEFT JOIN airports AS a ON a.code = n.origin
