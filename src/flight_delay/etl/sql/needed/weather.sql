-- The airports and days (UTC) whose weather the flights need: of each departure and arrival, and of six hours before.
WITH moments AS (
    SELECT origin AS code, sched_dep_utc AS moment FROM instants
    UNION ALL
    SELECT dest AS code, sched_arr_utc AS moment FROM instants
),
days AS (
    SELECT code, cast(moment AS date) AS day_utc FROM moments
    UNION
    SELECT code, cast(moment - INTERVAL '6' HOUR AS date) AS day_utc FROM moments
)
SELECT d.code, a.icao, a.lat, a.lon, d.day_utc
FROM days AS d
JOIN airports AS a ON a.code = d.code
WHERE d.day_utc IS NOT NULL AND a.lat IS NOT NULL AND a.lon IS NOT NULL
ORDER BY d.code, d.day_utc
