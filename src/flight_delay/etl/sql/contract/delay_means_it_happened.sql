-- en: a departure delay comes with a departure time, an arrival delay with both
-- pt: atraso na partida vem com a hora da partida, atraso na chegada com as duas
SELECT year, month, day, carrier, flight, dep_time, dep_delay, arr_time, arr_delay
FROM flights
WHERE
    (dep_delay IS NULL) <> (dep_time IS NULL)
    OR (arr_delay IS NOT NULL AND (dep_time IS NULL OR arr_time IS NULL))
