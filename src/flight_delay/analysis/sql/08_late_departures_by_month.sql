-- en: Share of flights that left more than 30 minutes late, by month
-- pt: Participação dos voos que partiram com mais de 30 minutos de atraso, por mês
-- en: Percent of the month's scheduled flights.
-- pt: Em porcento dos voos programados do mês.
SELECT year, month, 1e2 * count(CASE WHEN dep_delay > 30 THEN 1 END) / count(*) AS share_pct
FROM flights
GROUP BY year, month
ORDER BY year, month
