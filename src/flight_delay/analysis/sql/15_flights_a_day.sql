-- en: Mean flights a day, by month
-- pt: Média de voos por dia, por mês
-- en: Scheduled flights, divided by the days of the month that have any.
-- pt: Voos programados, divididos pelos dias do mês que têm algum.
SELECT year, month, count(*) / cast(count(DISTINCT day) AS double) AS flights_a_day
FROM flights
GROUP BY year, month
ORDER BY year, month
