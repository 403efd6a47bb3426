-- One row per IATA code, keyed by code: the source's own airports where its flights use them, the reference elsewhere; never two rows for a code.
WITH used AS (
    SELECT origin AS code FROM raw_flights
    UNION
    SELECT dest AS code FROM raw_flights
),
own AS (
    SELECT a.code, a.name, try_cast(a.lat AS double) AS lat, try_cast(a.lon AS double) AS lon, a.tz
    FROM raw_airports AS a
    JOIN used AS u ON u.code = a.code
    WHERE a.tz IS NOT NULL
),
reference AS (
    SELECT
        r.code, min(r.name) AS name, min(try_cast(r.lat AS double)) AS lat, min(try_cast(r.lon AS double)) AS lon, min(r.tz) AS tz
    FROM raw_reference_airports AS r
    WHERE r.code IS NOT NULL AND r.tz IS NOT NULL
    GROUP BY r.code
)
SELECT code, name, lat, lon, tz FROM own
UNION ALL
SELECT r.code, r.name, r.lat, r.lon, r.tz
FROM reference AS r
LEFT JOIN own AS o ON o.code = r.code
WHERE o.code IS NULL
