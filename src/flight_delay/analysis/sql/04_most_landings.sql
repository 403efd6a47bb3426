-- en: The five airports with most landings
-- pt: Os cinco aeroportos com mais pousos
-- en: Flights that have an arrival time, whether or not they came on their own schedule.
-- pt: Voos que têm hora de chegada, tenham ou não cumprido o horário.
SELECT dest, count(*) AS landings
FROM flights
WHERE arr_time IS NOT NULL
GROUP BY dest
ORDER BY landings DESC, dest
LIMIT 5
