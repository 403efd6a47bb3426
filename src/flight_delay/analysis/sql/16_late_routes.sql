-- en: The three routes with most arrivals more than 30 minutes late
-- pt: As três rotas com mais chegadas com mais de 30 minutos de atraso
-- en: By number, not by share.
-- pt: Em número, não em participação.
SELECT origin, dest, count(*) AS late_arrivals
FROM flights
WHERE arr_delay > 30
GROUP BY origin, dest
ORDER BY late_arrivals DESC, origin, dest
LIMIT 3
