-- The processed table: one row per flight, keyed by year, month, day, sched_dep_time, carrier, flight and origin; instants in UTC, metric units, NULL for what is not known.
SELECT
    d.id, d.year, d.month, d.day,
    d.carrier, coalesce(d.carrier_name, c.name) AS carrier_name, d.flight, d.tailnum, d.origin, d.dest,
    d.sched_dep_time, d.dep_time, d.dep_delay, d.sched_arr_time, d.arr_time, d.arr_delay,
    d.air_time_min, d.distance_km,
    d.dep_time IS NULL AS cancelled,
    d.dep_time IS NOT NULL AND d.arr_delay IS NULL AS diverted,
    d.sched_dep_utc, d.dep_utc, a.sched_arr_utc, a.arr_utc,
    d.origin_lat, d.origin_lon, d.origin_tz, d.dest_lat, d.dest_lon, d.dest_tz,
    try_cast(p.year AS int) AS plane_year, p.manufacturer AS plane_manufacturer, p.model AS plane_model,
    try_cast(p.seats AS int) AS plane_seats,
    w.weather_utc, w.temp_c, w.dewp_c, w.humid_pct, w.wind_dir_deg, w.wind_speed_ms, w.wind_gust_ms,
    w.precip_mm, w.pressure_hpa, w.visib_km
FROM departures AS d
LEFT JOIN arrivals AS a ON a.line = d.line
LEFT JOIN raw_airlines AS c ON c.carrier = d.carrier
LEFT JOIN raw_planes AS p ON p.tailnum = d.tailnum
LEFT JOIN departure_weather AS m ON m.airport = d.origin AND m.sched_dep_utc = d.sched_dep_utc
LEFT JOIN weather AS w ON w.airport = m.airport AND w.weather_utc = m.weather_utc
