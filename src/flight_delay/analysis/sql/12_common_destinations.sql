-- en: The most common destination of each origin
-- pt: O destino mais comum de cada origem
-- en: Scheduled flights.
-- pt: Voos programados.
SELECT origin, dest, flights
FROM (
    SELECT origin, dest, count(*) AS flights, row_number() OVER (PARTITION BY origin ORDER BY count(*) DESC, dest) AS place
    FROM flights
    GROUP BY origin, dest
) AS ranked
WHERE place = 1
ORDER BY origin
