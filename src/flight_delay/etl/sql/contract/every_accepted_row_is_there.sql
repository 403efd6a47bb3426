-- en: every accepted line of the source became one flight
-- pt: cada linha aceita da fonte virou um voo
SELECT accepted.total AS accepted, written.total AS written
FROM (SELECT count(*) AS total FROM flights_typed WHERE reason IS NULL) AS accepted
CROSS JOIN (SELECT count(*) AS total FROM flights) AS written
WHERE accepted.total <> written.total
