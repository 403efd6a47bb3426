-- en: Total flights
-- pt: Total de voos
-- en: Scheduled flights, cancelled ones too.
-- pt: Voos programados, também os cancelados.
SELECT count(*) AS flights
FROM flights
