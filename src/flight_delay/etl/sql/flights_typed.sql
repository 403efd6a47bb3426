-- One row per line of the source, keyed by line, typed; reason says why the line must be set aside, NULL that it need not. Drops nothing.
WITH numbers AS (
    SELECT
        line, id, carrier, carrier_name, tailnum, origin, dest, problem,
        try_cast(cancelled AS double) = 1 AS cancelled,
        try_cast(diverted AS double) = 1 AS diverted,
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
        line, problem, cancelled, diverted,
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
            WHEN n.problem IS NOT NULL THEN n.problem
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
            WHEN
                regexp_extract(n.carrier, '^([A-Z][A-Z0-9]|[0-9][A-Z])$', 0) = ''
                OR regexp_extract(n.origin, '^[A-Z]{3}$', 0) = ''
                OR regexp_extract(n.dest, '^[A-Z]{3}$', 0) = ''
                THEN 'no_iata_code'
            WHEN o.code IS NULL THEN 'unknown_origin'
            WHEN
                n.year NOT BETWEEN b.year_low AND b.year_high
                OR n.flight NOT BETWEEN b.flight_low AND b.flight_high
                OR n.dep_delay NOT BETWEEN b.dep_delay_low AND b.dep_delay_high
                THEN 'out_of_range'
            WHEN
                (n.dep_delay IS NULL) <> (n.dep_time IS NULL)
                OR (n.arr_delay IS NOT NULL AND (n.dep_time IS NULL OR n.arr_time IS NULL OR n.cancelled OR n.diverted))
                OR (n.cancelled AND n.diverted)
                THEN 'contradiction'
            WHEN
                (cast(floor(n.dep_time / 100) AS int) * 60 + n.dep_time % 100
                    - cast(floor(n.sched_dep_time / 100) AS int) * 60 - n.sched_dep_time % 100 - n.dep_delay) % 1440 <> 0
                OR (cast(floor(n.arr_time / 100) AS int) * 60 + n.arr_time % 100
                    - cast(floor(n.sched_arr_time / 100) AS int) * 60 - n.sched_arr_time % 100 - n.arr_delay) % 1440 <> 0
                THEN 'clocks_disagree'
            -- Haversine; airports have moved by a few kilometres.
            WHEN
                abs(n.distance_km - 2 * 6371.0088 * asin(sqrt(
                    power(sin(radians(d.lat - o.lat) / 2), 2)
                    + cos(radians(o.lat)) * cos(radians(d.lat)) * power(sin(radians(d.lon - o.lon) / 2), 2)
                ))) > 30 + 0.02 * n.distance_km
                THEN 'distance_disagrees'
        END AS reason
    FROM dated AS n
    CROSS JOIN bounds AS b
    LEFT JOIN airports AS o ON o.code = n.origin
    LEFT JOIN airports AS d ON d.code = n.dest
),
numbered AS (
    SELECT
        *,
        -- Of a flight's good lines the first is kept; a line with a problem takes nobody's place.
        row_number() OVER (
            PARTITION BY reason, year, month, day, sched_dep_time, carrier, flight, origin ORDER BY line
        ) AS occurrence
    FROM judged
)
SELECT
    line, id, year, month, day, flight_date, sched_dep_time, dep_time, dep_delay,
    sched_arr_time, arr_time, arr_delay, air_time_min, distance_km,
    carrier, carrier_name, flight, tailnum,
    -- Some carriers leave the N out of American registrations.
    CASE WHEN regexp_extract(tailnum, '^[1-9][0-9]{0,4}[A-Z]{0,2}$', 0) <> '' THEN concat('N', tailnum) ELSE tailnum END AS aircraft,
    origin, dest, cancelled, diverted,
    CASE WHEN reason IS NOT NULL THEN reason WHEN occurrence > 1 THEN 'repeated' END AS reason
FROM numbered
