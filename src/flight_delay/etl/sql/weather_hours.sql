-- One row per airport, hour and report that is the last one in a part of that hour, keyed by airport, day_utc, hour_utc and weather_utc: from its own instant until the next report, for at most six hours.
WITH followed AS (
    SELECT *, lead(weather_utc) OVER (PARTITION BY airport ORDER BY weather_utc) AS next_utc
    FROM weather
),
hours AS (
    SELECT
        f.*,
        cast(cast(f.weather_utc AS date) AS timestamp)
        + (cast(extract(HOUR FROM f.weather_utc) AS int) + n.hours) * INTERVAL '1' HOUR AS hour_from
    FROM followed AS f
    CROSS JOIN (
        SELECT 0 AS hours UNION ALL SELECT 1 AS hours UNION ALL SELECT 2 AS hours UNION ALL SELECT 3 AS hours
        UNION ALL SELECT 4 AS hours UNION ALL SELECT 5 AS hours UNION ALL SELECT 6 AS hours
    ) AS n
)
SELECT
    airport, cast(hour_from AS date) AS day_utc, cast(extract(HOUR FROM hour_from) AS int) AS hour_utc,
    weather_utc, next_utc,
    temp_c, dewp_c, humid_pct, wind_dir_deg, wind_speed_ms, wind_gust_ms, precip_mm, pressure_hpa, visib_km
FROM hours
WHERE hour_from <= weather_utc + INTERVAL '6' HOUR AND (next_utc IS NULL OR hour_from < next_utc)
