-- One row per IATA code, keyed by code: the source's own airports, or a provider's, where flights use them, the reference elsewhere; never two rows for a code.
WITH used AS (
    SELECT origin AS code FROM raw_flights
    UNION
    SELECT dest AS code FROM raw_flights
),
reference AS (
    SELECT
        code, min(icao) AS icao, min(name) AS name,
        min(try_cast(lat AS double)) AS lat, min(try_cast(lon AS double)) AS lon, min(tz) AS tz
    FROM raw_reference_airports
    WHERE code IS NOT NULL AND tz IS NOT NULL
    GROUP BY code
),
own AS (
    SELECT a.code, r.icao, a.name, try_cast(a.lat AS double) AS lat, try_cast(a.lon AS double) AS lon, a.tz
    FROM raw_airports AS a
    JOIN used AS u ON u.code = a.code
    LEFT JOIN reference AS r ON r.code = a.code
    WHERE a.tz IS NOT NULL
)
SELECT code, icao, name, lat, lon, tz FROM own
UNION ALL
SELECT r.code, r.icao, r.name, r.lat, r.lon, r.tz
FROM reference AS r
LEFT JOIN own AS o ON o.code = r.code
WHERE o.code IS NULL
