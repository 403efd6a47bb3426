-- en: Cancelled flights
-- pt: Voos cancelados
-- en: No departure and no arrival time. Share in percent of all flights.
-- pt: Sem hora de partida nem de chegada. Participação em porcento de todos os voos.
SELECT count(*) AS cancelled, 1e2 * count(*) / max(total.flights) AS share_pct
FROM flights
CROSS JOIN (SELECT count(*) AS flights FROM flights) AS total
WHERE dep_time IS NULL AND arr_time IS NULL
