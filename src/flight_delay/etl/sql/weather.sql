-- One row per airport and report, keyed by airport and weather_utc, in metric units; a value that no instrument reports is NULL, never clipped, and counted in discarded.
WITH measured AS (
    SELECT
        r.line, r.airport,
        try_cast(concat(substr(r.observed_utc, 1, 10), ' ', substr(r.observed_utc, 12, 8)) AS timestamp) AS weather_utc,
        coalesce(try_cast(r.temp_c AS double), (try_cast(r.temp_f AS double) - 32) / 1.8) AS temp_c,
        coalesce(try_cast(r.dewp_c AS double), (try_cast(r.dewp_f AS double) - 32) / 1.8) AS dewp_c,
        try_cast(r.humid_pct AS double) AS humid_pct,
        try_cast(r.wind_dir_deg AS double) AS wind_dir_deg,
        coalesce(try_cast(r.wind_speed_ms AS double), try_cast(r.wind_speed_mph AS double) * 0.44704) AS wind_speed_ms,
        coalesce(try_cast(r.wind_gust_ms AS double), try_cast(r.wind_gust_mph AS double) * 0.44704) AS wind_gust_ms,
        coalesce(try_cast(r.precip_mm AS double), try_cast(r.precip_in AS double) * 25.4) AS precip_mm,
        try_cast(r.pressure_hpa AS double) AS pressure_hpa,
        coalesce(try_cast(r.visib_km AS double), try_cast(r.visib_mi AS double) * 1.609344) AS visib_km,
        coalesce(r.temp_c, r.temp_f) IS NOT NULL AS temp_given,
        coalesce(r.dewp_c, r.dewp_f) IS NOT NULL AS dewp_given,
        r.humid_pct IS NOT NULL AS humid_given,
        r.wind_dir_deg IS NOT NULL AS wind_dir_given,
        coalesce(r.wind_speed_ms, r.wind_speed_mph) IS NOT NULL AS wind_speed_given,
        coalesce(r.wind_gust_ms, r.wind_gust_mph) IS NOT NULL AS wind_gust_given,
        coalesce(r.precip_mm, r.precip_in) IS NOT NULL AS precip_given,
        r.pressure_hpa IS NOT NULL AS pressure_given,
        coalesce(r.visib_km, r.visib_mi) IS NOT NULL AS visib_given
    FROM raw_weather AS r
),
judged AS (
    SELECT
        *,
        coalesce(temp_c BETWEEN -90 AND 60, false) AS temp_known,
        coalesce(dewp_c BETWEEN -100 AND 60, false) AS dewp_known,
        coalesce(humid_pct BETWEEN 0 AND 100, false) AS humid_known,
        coalesce(wind_dir_deg BETWEEN 0 AND 360, false) AS wind_dir_known,
        coalesce(wind_speed_ms BETWEEN 0 AND 120, false) AS wind_speed_known,
        coalesce(wind_gust_ms BETWEEN 0 AND 150, false) AS wind_gust_known,
        coalesce(precip_mm BETWEEN 0 AND 500, false) AS precip_known,
        coalesce(pressure_hpa BETWEEN 850 AND 1100, false) AS pressure_known,
        coalesce(visib_km BETWEEN 0 AND 200, false) AS visib_known,
        row_number() OVER (PARTITION BY airport, weather_utc ORDER BY line) AS occurrence
    FROM measured
    WHERE airport IS NOT NULL AND weather_utc IS NOT NULL
)
SELECT
    airport, weather_utc,
    CASE WHEN temp_known THEN temp_c END AS temp_c,
    CASE WHEN dewp_known THEN dewp_c END AS dewp_c,
    CASE WHEN humid_known THEN humid_pct END AS humid_pct,
    CASE WHEN wind_dir_known THEN wind_dir_deg END AS wind_dir_deg,
    CASE WHEN wind_speed_known THEN wind_speed_ms END AS wind_speed_ms,
    CASE WHEN wind_gust_known THEN wind_gust_ms END AS wind_gust_ms,
    CASE WHEN precip_known THEN precip_mm END AS precip_mm,
    CASE WHEN pressure_known THEN pressure_hpa END AS pressure_hpa,
    CASE WHEN visib_known THEN visib_km END AS visib_km,
    CASE WHEN temp_given AND NOT temp_known THEN 1 ELSE 0 END
    + CASE WHEN dewp_given AND NOT dewp_known THEN 1 ELSE 0 END
    + CASE WHEN humid_given AND NOT humid_known THEN 1 ELSE 0 END
    + CASE WHEN wind_dir_given AND NOT wind_dir_known THEN 1 ELSE 0 END
    + CASE WHEN wind_speed_given AND NOT wind_speed_known THEN 1 ELSE 0 END
    + CASE WHEN wind_gust_given AND NOT wind_gust_known THEN 1 ELSE 0 END
    + CASE WHEN precip_given AND NOT precip_known THEN 1 ELSE 0 END
    + CASE WHEN pressure_given AND NOT pressure_known THEN 1 ELSE 0 END
    + CASE WHEN visib_given AND NOT visib_known THEN 1 ELSE 0 END AS discarded
FROM judged
WHERE occurrence = 1
