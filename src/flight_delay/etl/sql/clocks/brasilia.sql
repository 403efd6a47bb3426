-- One row per record of a source whose times are those of Brasília's clocks, with dates and ICAO codes: brought to the airports' own clocks, to minutes of delay and to IATA codes. Drops nothing; problem says what cannot be brought there.
WITH written AS (
    SELECT line, 'sched_dep' AS event, origin_icao AS icao, sched_dep_at AS moment FROM raw_records
    UNION ALL
    SELECT line, 'dep' AS event, origin_icao AS icao, dep_at AS moment FROM raw_records
    UNION ALL
    SELECT line, 'sched_arr' AS event, dest_icao AS icao, sched_arr_at AS moment FROM raw_records
    UNION ALL
    SELECT line, 'arr' AS event, dest_icao AS icao, arr_at AS moment FROM raw_records
),
brasilia AS (
    SELECT
        line, event, icao, moment,
        CASE
            WHEN regexp_extract(moment, '^[0-9]{2}/[0-9]{2}/[0-9]{4} ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$', 0) <> ''
                THEN try_cast(concat(
                    substr(moment, 7, 4), '-', substr(moment, 4, 2), '-', substr(moment, 1, 2), ' ', substr(moment, 12, 5), ':00'
                ) AS timestamp)
            WHEN regexp_extract(moment, '^[0-9]{4}-[0-9]{2}-[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$', 0) <> ''
                THEN try_cast(concat(substr(moment, 1, 16), ':00') AS timestamp)
        END AS at_brasilia
    FROM written
    WHERE moment IS NOT NULL
),
airports_by_icao AS (
    SELECT icao, min(code) AS code, min(tz) AS tz FROM raw_reference_airports WHERE icao IS NOT NULL GROUP BY icao
),
airlines_by_icao AS (
    SELECT icao, min(carrier) AS carrier FROM raw_airlines GROUP BY icao
),
instants AS (
    SELECT
        b.line, b.event, b.icao, b.at_brasilia,
        b.at_brasilia - z.offset_min * INTERVAL '1' MINUTE AS at_utc
    FROM brasilia AS b
    LEFT JOIN offsets AS z
        ON z.tz = 'America/Sao_Paulo' AND b.at_brasilia >= z.local_from AND b.at_brasilia < z.local_until
),
there AS (
    SELECT
        i.line, i.event, i.at_utc, i.at_brasilia,
        i.at_utc + z.offset_min * INTERVAL '1' MINUTE AS at_local
    FROM instants AS i
    LEFT JOIN airports_by_icao AS a ON a.icao = upper(trim(i.icao))
    LEFT JOIN offsets AS z ON z.tz = a.tz AND i.at_utc >= z.utc_from AND i.at_utc < z.utc_until
),
flown AS (
    SELECT
        line,
        sum(CASE WHEN at_brasilia IS NULL THEN 1 ELSE 0 END) AS unreadable,
        max(CASE WHEN event = 'sched_dep' THEN at_utc END) AS sched_dep_utc,
        max(CASE WHEN event = 'sched_arr' THEN at_utc END) AS sched_arr_utc,
        max(CASE WHEN event = 'sched_dep' THEN at_local END) AS sched_dep_local,
        max(CASE WHEN event = 'dep' THEN at_local END) AS dep_local,
        max(CASE WHEN event = 'sched_arr' THEN at_local END) AS sched_arr_local,
        max(CASE WHEN event = 'arr' THEN at_local END) AS arr_local,
        max(CASE WHEN event = 'dep' THEN at_utc END) - max(CASE WHEN event = 'sched_dep' THEN at_utc END) AS dep_late,
        max(CASE WHEN event = 'arr' THEN at_utc END) - max(CASE WHEN event = 'sched_arr' THEN at_utc END) AS arr_late
    FROM there
    GROUP BY line
),
coded AS (
    SELECT
        r.line, r.carrier_name, r.flight, r.dep_at, r.arr_at,
        upper(trim(r.status)) AS status,
        r.carrier_icao, c.carrier, r.origin_icao, o.code AS origin, r.dest_icao, d.code AS dest
    FROM raw_records AS r
    LEFT JOIN airlines_by_icao AS c ON c.icao = upper(trim(r.carrier_icao))
    LEFT JOIN airports_by_icao AS o ON o.icao = upper(trim(r.origin_icao))
    LEFT JOIN airports_by_icao AS d ON d.icao = upper(trim(r.dest_icao))
)
SELECT
    c.line,
    cast(NULL AS string) AS id,
    cast(extract(YEAR FROM f.sched_dep_local) AS int) AS year,
    cast(extract(MONTH FROM f.sched_dep_local) AS int) AS month,
    cast(extract(DAY FROM f.sched_dep_local) AS int) AS day,
    cast(extract(HOUR FROM f.sched_dep_local) * 100 + extract(MINUTE FROM f.sched_dep_local) AS int) AS sched_dep_time,
    cast(extract(HOUR FROM f.dep_local) * 100 + extract(MINUTE FROM f.dep_local) AS int) AS dep_time,
    cast(extract(DAY FROM f.dep_late) * 1440 + extract(HOUR FROM f.dep_late) * 60 + extract(MINUTE FROM f.dep_late) AS int) AS dep_delay,
    cast(extract(HOUR FROM f.sched_arr_local) * 100 + extract(MINUTE FROM f.sched_arr_local) AS int) AS sched_arr_time,
    cast(extract(HOUR FROM f.arr_local) * 100 + extract(MINUTE FROM f.arr_local) AS int) AS arr_time,
    cast(extract(DAY FROM f.arr_late) * 1440 + extract(HOUR FROM f.arr_late) * 60 + extract(MINUTE FROM f.arr_late) AS int) AS arr_delay,
    c.carrier, c.carrier_name, c.flight,
    cast(NULL AS string) AS tailnum,
    c.origin, c.dest,
    cast(NULL AS string) AS air_time_min,
    cast(NULL AS string) AS distance_mi,
    CASE c.status WHEN 'CANCELADO' THEN 1 WHEN 'REALIZADO' THEN 0 END AS cancelled,
    CASE WHEN c.status IN ('CANCELADO', 'REALIZADO') THEN 0 END AS diverted,
    CASE
        WHEN f.unreadable > 0 THEN 'unreadable_time'
        WHEN c.status IS NULL OR c.status NOT IN ('CANCELADO', 'REALIZADO') THEN 'unknown_status'
        WHEN c.carrier_icao IS NOT NULL AND c.carrier IS NULL THEN 'unknown_carrier'
        WHEN c.origin_icao IS NOT NULL AND c.origin IS NULL OR c.dest_icao IS NOT NULL AND c.dest IS NULL THEN 'no_iata_code'
        WHEN
            f.sched_arr_utc <= f.sched_dep_utc OR f.sched_arr_utc >= f.sched_dep_utc + INTERVAL '1' DAY
            OR (c.status = 'CANCELADO' AND c.arr_at IS NOT NULL)
            OR (c.status = 'REALIZADO' AND (c.dep_at IS NULL OR c.arr_at IS NULL))
            THEN 'contradiction'
    END AS problem
FROM coded AS c
LEFT JOIN flown AS f ON f.line = c.line
