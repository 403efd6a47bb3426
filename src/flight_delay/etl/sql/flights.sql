-- The processed table: one row per flight, keyed by year, month, day, sched_dep_time, carrier, flight and origin; instants in UTC, metric units, NULL for what is not known. What begins with dest_ and is weather is of the scheduled arrival: for analysis, never for a prediction.
SELECT
    d.id, d.year, d.month, d.day,
    -- 0 is Monday; by Zeller's congruence, since engines number their weekdays each in its own way.
    (
        d.day + cast(floor(13 * (d.month + CASE WHEN d.month < 3 THEN 13 ELSE 1 END) / 5) AS int)
        + (d.year - CASE WHEN d.month < 3 THEN 1 ELSE 0 END)
        + cast(floor((d.year - CASE WHEN d.month < 3 THEN 1 ELSE 0 END) / 4) AS int)
        - cast(floor((d.year - CASE WHEN d.month < 3 THEN 1 ELSE 0 END) / 100) AS int)
        + cast(floor((d.year - CASE WHEN d.month < 3 THEN 1 ELSE 0 END) / 400) AS int)
        + 5
    ) % 7 AS weekday,
    d.carrier, coalesce(d.carrier_name, c.name) AS carrier_name, d.flight, d.tailnum, d.aircraft, d.origin, d.dest,
    d.sched_dep_time, d.dep_time, d.dep_delay, d.sched_arr_time, d.arr_time, d.arr_delay,
    d.air_time_min, d.distance_km,
    coalesce(d.cancelled, d.dep_time IS NULL) AS cancelled,
    coalesce(d.diverted, d.dep_time IS NOT NULL AND d.arr_delay IS NULL) AS diverted,
    d.sched_dep_utc, d.dep_utc, d.sched_arr_utc, d.arr_utc,
    d.origin_lat, d.origin_lon, d.origin_tz, d.dest_lat, d.dest_lon, d.dest_tz,
    try_cast(p.year AS int) AS plane_year, p.manufacturer AS plane_manufacturer, p.model AS plane_model,
    try_cast(p.seats AS int) AS plane_seats,
    w.weather_utc, w.temp_c, w.dewp_c, w.humid_pct, w.wind_dir_deg, w.wind_speed_ms, w.wind_gust_ms,
    w.precip_mm, w.pressure_hpa, w.visib_km,
    v.weather_utc AS dest_weather_utc, v.temp_c AS dest_temp_c, v.dewp_c AS dest_dewp_c, v.humid_pct AS dest_humid_pct,
    v.wind_dir_deg AS dest_wind_dir_deg, v.wind_speed_ms AS dest_wind_speed_ms, v.wind_gust_ms AS dest_wind_gust_ms,
    v.precip_mm AS dest_precip_mm, v.pressure_hpa AS dest_pressure_hpa, v.visib_km AS dest_visib_km
FROM instants AS d
LEFT JOIN (
    -- A code that was given again has several names; one is as good as another, two would make two flights of one.
    SELECT carrier, min(name) AS name FROM raw_airlines GROUP BY carrier
) AS c ON c.carrier = d.carrier
LEFT JOIN raw_planes AS p ON p.tailnum = d.aircraft
LEFT JOIN weather_hours AS w
    ON w.airport = d.origin AND w.day_utc = cast(d.sched_dep_utc AS date) AND w.hour_utc = extract(HOUR FROM d.sched_dep_utc)
    AND w.weather_utc <= d.sched_dep_utc AND w.weather_utc >= d.sched_dep_utc - INTERVAL '6' HOUR
    AND (w.next_utc IS NULL OR w.next_utc > d.sched_dep_utc)
LEFT JOIN weather_hours AS v
    ON v.airport = d.dest AND v.day_utc = cast(d.sched_arr_utc AS date) AND v.hour_utc = extract(HOUR FROM d.sched_arr_utc)
    AND v.weather_utc <= d.sched_arr_utc AND v.weather_utc >= d.sched_arr_utc - INTERVAL '6' HOUR
    AND (v.next_utc IS NULL OR v.next_utc > d.sched_arr_utc)
