-- en: The main destination of each origin
-- pt: O principal destino de cada origem
-- en: As question 12, with its share in percent of the flights of that origin.
-- pt: Como a questão 12, com a participação em porcento nos voos da origem.
SELECT origin, dest, flights, share_pct
FROM (
    SELECT
        origin, dest, count(*) AS flights,
        1e2 * count(*) / sum(count(*)) OVER (PARTITION BY origin) AS share_pct,
        row_number() OVER (PARTITION BY origin ORDER BY count(*) DESC, dest) AS place
    FROM flights
    GROUP BY origin, dest
) AS ranked
WHERE place = 1
ORDER BY origin
