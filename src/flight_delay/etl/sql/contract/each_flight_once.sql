-- en: every flight occurs once
-- pt: cada voo ocorre uma só vez
SELECT year, month, day, sched_dep_time, carrier, flight, origin, count(*) AS occurrences
FROM flights
GROUP BY year, month, day, sched_dep_time, carrier, flight, origin
HAVING count(*) > 1
