-- en: The weekday with most flights
-- pt: O dia da semana com mais voos
-- en: All seven, most first; 0 is Monday. Scheduled flights.
-- pt: Todos os sete, do maior ao menor; 0 é segunda-feira. Voos programados.
SELECT weekday, count(*) AS flights
FROM flights
GROUP BY weekday
ORDER BY flights DESC, weekday
