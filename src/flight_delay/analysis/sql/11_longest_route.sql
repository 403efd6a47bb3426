-- en: The route with the longest mean air time
-- pt: A rota com o maior tempo médio de voo
-- en: Minutes in the air.
-- pt: Minutos no ar.
SELECT origin, dest, avg(air_time_min) AS mean_air_time_min, count(air_time_min) AS flights
FROM flights
GROUP BY origin, dest
HAVING count(air_time_min) > 0
ORDER BY mean_air_time_min DESC, origin, dest
LIMIT 1
