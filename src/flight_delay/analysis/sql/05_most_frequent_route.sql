-- en: The most frequent route
-- pt: A rota mais frequente
-- en: Scheduled flights, cancelled ones too.
-- pt: Voos programados, também os cancelados.
SELECT origin, dest, count(*) AS flights
FROM flights
GROUP BY origin, dest
ORDER BY flights DESC, origin, dest
LIMIT 1
