-- en: every origin has coordinates
-- pt: toda origem tem coordenadas
SELECT year, month, day, carrier, flight, origin
FROM flights
WHERE origin_lat IS NULL OR origin_lon IS NULL
