-- One row per airport and instant at which a flight is to leave or to arrive there: the instant of the last report at or before it, at most six hours old; never a later report.
WITH moments AS (
    SELECT airport, weather_utc AS moment, weather_utc FROM weather
    UNION ALL
    SELECT DISTINCT origin AS airport, sched_dep_utc AS moment, cast(NULL AS timestamp) AS weather_utc FROM departures
    UNION ALL
    SELECT DISTINCT d.dest AS airport, a.sched_arr_utc AS moment, cast(NULL AS timestamp) AS weather_utc
    FROM departures AS d
    JOIN arrivals AS a ON a.line = d.line
),
filled AS (
    SELECT
        airport, moment, weather_utc AS reported,
        max(weather_utc) OVER (PARTITION BY airport ORDER BY moment RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS weather_utc
    FROM moments
)
SELECT DISTINCT airport, moment, weather_utc
FROM filled
WHERE reported IS NULL AND weather_utc >= moment - INTERVAL '6' HOUR
