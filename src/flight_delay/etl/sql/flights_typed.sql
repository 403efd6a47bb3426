-- One row per line of the source, keyed by line, typed; reason says why the line must be set aside, NULL that it need not. Drops nothing.
WITH numbers AS (
    SELECT
        line, id, carrier, carrier_name, tailnum, origin, dest,
        year AS year_text, try_cast(year AS double) AS year_number,
        month AS month_text, try_cast(month AS double) AS month_number,
        day AS day_text, try_cast(day AS double) AS day_number,
        sched_dep_time AS sched_dep_time_text, try_cast(sched_dep_time AS double) AS sched_dep_time_number,
        dep_time AS dep_time_text, try_cast(dep_time AS double) AS dep_time_number,
        dep_delay AS dep_delay_text, try_cast(dep_delay AS double) AS dep_delay_number,
        sched_arr_time AS sched_arr_time_text, try_cast(sched_arr_time AS double) AS sched_arr_time_number,
        arr_time AS arr_time_text, try_cast(arr_time AS double) AS arr_time_number,
        arr_delay AS arr_delay_text, try_cast(arr_delay AS double) AS arr_delay_number,
        air_time_min AS air_time_min_text, try_cast(air_time_min AS double) AS air_time_min_number,
        flight AS flight_text, try_cast(flight AS double) AS flight_number,
        distance_mi AS distance_text, try_cast(distance_mi AS double) * 1.609344 AS distance_km
    FROM raw_flights
),
typed AS (
    SELECT
        line,
        try_cast(id AS bigint) AS id,
        -- A number with a fraction is no clock time and no minute: it is not rounded to one.
        CASE WHEN year_number = floor(year_number) AND abs(year_number) < 1000000000 THEN cast(year_number AS int) END AS year,
        CASE WHEN month_number = floor(month_number) AND abs(month_number) < 1000000000 THEN cast(month_number AS int) END AS month,
        CASE WHEN day_number = floor(day_number) AND abs(day_number) < 1000000000 THEN cast(day_number AS int) END AS day,
        CASE WHEN sched_dep_time_number = floor(sched_dep_time_number) AND abs(sched_dep_time_number) < 1000000000 THEN cast(sched_dep_time_number AS int) END AS sched_dep_time,
        CASE WHEN dep_time_number = floor(dep_time_number) AND abs(dep_time_number) < 1000000000 THEN cast(dep_time_number AS int) END AS dep_time,
        CASE WHEN dep_delay_number = floor(dep_delay_number) AND abs(dep_delay_number) < 1000000000 THEN cast(dep_delay_number AS int) END AS dep_delay,
        CASE WHEN sched_arr_time_number = floor(sched_arr_time_number) AND abs(sched_arr_time_number) < 1000000000 THEN cast(sched_arr_time_number AS int) END AS sched_arr_time,
        CASE WHEN arr_time_number = floor(arr_time_number) AND abs(arr_time_number) < 1000000000 THEN cast(arr_time_number AS int) END AS arr_time,
        CASE WHEN arr_delay_number = floor(arr_delay_number) AND abs(arr_delay_number) < 1000000000 THEN cast(arr_delay_number AS int) END AS arr_delay,
        CASE WHEN air_time_min_number = floor(air_time_min_number) AND abs(air_time_min_number) < 1000000000 THEN cast(air_time_min_number AS int) END AS air_time_min,
        CASE WHEN flight_number = floor(flight_number) AND abs(flight_number) < 1000000000 THEN cast(flight_number AS int) END AS flight,
        year_text, month_text, day_text, sched_dep_time_text, dep_time_text, dep_delay_text,
        sched_arr_time_text, arr_time_text, arr_delay_text, air_time_min_text, flight_text, distance_text,
        distance_km,
        upper(trim(carrier)) AS carrier,
        carrier_name,
        upper(trim(tailnum)) AS tailnum,
        upper(trim(origin)) AS origin,
        upper(trim(dest)) AS dest
    FROM numbers
),
dated AS (
    SELECT
        *,
        try_cast(concat_ws(
            '-', lpad(cast(year AS string), 4, '0'), lpad(cast(month AS string), 2, '0'), lpad(cast(day AS string), 2, '0')
        ) AS date) AS flight_date
    FROM typed
),
judged AS (
    SELECT
        n.*,
        CASE
            WHEN
                (n.year_text IS NULL) <> (n.year IS NULL)
                OR (n.month_text IS NULL) <> (n.month IS NULL)
                OR (n.day_text IS NULL) <> (n.day IS NULL)
                OR (n.sched_dep_time_text IS NULL) <> (n.sched_dep_time IS NULL)
                OR (n.dep_time_text IS NULL) <> (n.dep_time IS NULL)
                OR (n.dep_delay_text IS NULL) <> (n.dep_delay IS NULL)
                OR (n.sched_arr_time_text IS NULL) <> (n.sched_arr_time IS NULL)
                OR (n.arr_time_text IS NULL) <> (n.arr_time IS NULL)
                OR (n.arr_delay_text IS NULL) <> (n.arr_delay IS NULL)
                OR (n.air_time_min_text IS NULL) <> (n.air_time_min IS NULL)
                OR (n.flight_text IS NULL) <> (n.flight IS NULL)
                OR (n.distance_text IS NULL) <> (n.distance_km IS NULL)
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
        END AS problem
    FROM dated AS n
    LEFT JOIN airports AS a ON a.code = n.origin
),
numbered AS (
    SELECT
        *,
        -- Of a flight's good lines the first is kept; a line with a problem takes nobody's place.
        row_number() OVER (
            PARTITION BY problem, year, month, day, sched_dep_time, carrier, flight, origin ORDER BY line
        ) AS occurrence
    FROM judged
)
SELECT
    line, id, year, month, day, flight_date, sched_dep_time, dep_time, dep_delay,
    sched_arr_time, arr_time, arr_delay, air_time_min, distance_km,
    carrier, carrier_name, flight, tailnum, origin, dest,
    CASE WHEN problem IS NOT NULL THEN problem WHEN occurrence > 1 THEN 'repeated' END AS reason
FROM numbered
