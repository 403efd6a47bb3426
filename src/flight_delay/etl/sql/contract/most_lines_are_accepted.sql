-- en: at most half of the lines are set aside, but for those that repeat a flight; else the file is not what it is taken for
-- pt: no máximo metade das linhas é posta de lado, sem contar as que repetem um voo; senão o arquivo não é o que se supõe
SELECT reason, line, year, month, day, carrier, flight, origin, dest, sched_dep_time, dep_time, dep_delay, distance_km
FROM flights_typed
WHERE
    reason <> 'repeated'
    AND (SELECT count(*) FROM flights_typed WHERE reason <> 'repeated') * 2 > (SELECT count(*) FROM flights_typed)
