-- en: the scheduled arrival is later than the scheduled departure, by less than a day and a half
-- pt: a chegada prevista é posterior à partida prevista, por menos de um dia e meio
SELECT year, month, day, carrier, flight, origin, dest, sched_dep_utc, sched_arr_utc
FROM flights
WHERE sched_arr_utc <= sched_dep_utc OR sched_arr_utc > sched_dep_utc + INTERVAL '36' HOUR
