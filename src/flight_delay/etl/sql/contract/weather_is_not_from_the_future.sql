-- en: no weather report is later than the scheduled departure, or more than six hours older
-- pt: nenhum boletim do tempo é posterior à partida prevista, nem mais de seis horas anterior
SELECT year, month, day, carrier, flight, origin, sched_dep_utc, weather_utc
FROM flights
WHERE weather_utc > sched_dep_utc OR weather_utc < sched_dep_utc - INTERVAL '6' HOUR
