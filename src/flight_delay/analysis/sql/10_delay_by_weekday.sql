-- en: Mean departure delay by weekday
-- pt: Atraso médio na partida por dia da semana
-- en: Minutes, over the flights that left; 0 is Monday.
-- pt: Em minutos, sobre os voos que partiram; 0 é segunda-feira.
SELECT weekday, avg(dep_delay) AS mean_dep_delay_min
FROM flights
GROUP BY weekday
ORDER BY weekday
