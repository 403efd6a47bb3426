-- One row per airport and hour, keyed by airport and weather_utc, in metric units; a value that no instrument reports is NULL, never clipped.
WITH typed AS (
    SELECT
        airport,
        try_cast(substr(observed_utc, 1, 10) AS date) AS day_utc,
        try_cast(substr(observed_utc, 12, 2) AS int) AS hour_utc,
        (try_cast(temp_f AS double) - 32) / 1.8 AS temp_c,
        (try_cast(dewp_f AS double) - 32) / 1.8 AS dewp_c,
        try_cast(humid_pct AS double) AS humid_pct,
        try_cast(wind_dir_deg AS double) AS wind_dir_deg,
        try_cast(wind_speed_mph AS double) * 0.44704 AS wind_speed_ms,
        try_cast(wind_gust_mph AS double) * 0.44704 AS wind_gust_ms,
        try_cast(precip_in AS double) * 25.4 AS precip_mm,
        try_cast(pressure_hpa AS double) AS pressure_hpa,
        try_cast(visib_mi AS double) * 1.609344 AS visib_km
    FROM raw_weather
)
SELECT
    airport,
    cast(day_utc AS timestamp) + hour_utc * INTERVAL '1' HOUR AS weather_utc,
    CASE WHEN temp_c BETWEEN -90 AND 60 THEN temp_c END AS temp_c,
    CASE WHEN dewp_c BETWEEN -100 AND 60 THEN dewp_c END AS dewp_c,
    CASE WHEN humid_pct BETWEEN 0 AND 100 THEN humid_pct END AS humid_pct,
    CASE WHEN wind_dir_deg BETWEEN 0 AND 360 THEN wind_dir_deg END AS wind_dir_deg,
    CASE WHEN wind_speed_ms BETWEEN 0 AND 120 THEN wind_speed_ms END AS wind_speed_ms,
    CASE WHEN wind_gust_ms BETWEEN 0 AND 150 THEN wind_gust_ms END AS wind_gust_ms,
    CASE WHEN precip_mm BETWEEN 0 AND 500 THEN precip_mm END AS precip_mm,
    CASE WHEN pressure_hpa BETWEEN 850 AND 1100 THEN pressure_hpa END AS pressure_hpa,
    CASE WHEN visib_km BETWEEN 0 AND 200 THEN visib_km END AS visib_km
FROM typed
WHERE airport IS NOT NULL AND day_utc IS NOT NULL AND hour_utc IS NOT NULL
