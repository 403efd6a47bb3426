-- en: every flight has its scheduled departure in UTC
-- pt: todo voo tem a partida prevista em UTC
SELECT year, month, day, carrier, flight, origin, origin_tz, sched_dep_time
FROM flights
WHERE sched_dep_utc IS NULL
