-- en: no weather report is later than the scheduled departure or arrival that it is of, or more than six hours older
-- pt: nenhum boletim do tempo é posterior à partida ou chegada prevista a que se refere, nem mais de seis horas anterior
SELECT year, month, day, carrier, flight, origin, dest, sched_dep_utc, weather_utc, sched_arr_utc, dest_weather_utc
FROM flights
WHERE
    weather_utc > sched_dep_utc OR weather_utc < sched_dep_utc - INTERVAL '6' HOUR
    OR dest_weather_utc > sched_arr_utc OR dest_weather_utc < sched_arr_utc - INTERVAL '6' HOUR
