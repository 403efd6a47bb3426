-- en: The three routes whose air time varies most
-- pt: As três rotas cujo tempo de voo mais varia
-- en: By the standard deviation (n - 1), in minutes, of routes flown at least thirty times: two or three flights say nothing of how much a route varies.
-- pt: Pelo desvio padrão (n - 1), em minutos, das rotas voadas ao menos trinta vezes: dois ou três voos não dizem quanto uma rota varia.
SELECT origin, dest, stddev_samp(air_time_min) AS std_air_time_min, count(air_time_min) AS flights
FROM flights
GROUP BY origin, dest
HAVING count(air_time_min) >= 30
ORDER BY std_air_time_min DESC, origin, dest
LIMIT 3
