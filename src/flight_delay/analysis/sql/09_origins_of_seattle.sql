-- en: The most common origin of flights to Seattle (SEA)
-- pt: A origem mais comum dos voos para Seattle (SEA)
-- en: Scheduled flights; those that landed stand beside them.
-- pt: Voos programados; ao lado, os que pousaram.
SELECT origin, count(*) AS flights, count(arr_time) AS landed
FROM flights
WHERE dest = 'SEA'
GROUP BY origin
ORDER BY flights DESC, origin
