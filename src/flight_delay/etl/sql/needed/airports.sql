-- The airports that the flights use and the reference knows, with the ICAO code under which others know them.
SELECT r.code, min(r.icao) AS icao, min(r.tz) AS tz
FROM raw_reference_airports AS r
JOIN (SELECT origin AS code FROM raw_flights UNION SELECT dest AS code FROM raw_flights) AS u ON u.code = r.code
WHERE r.icao IS NOT NULL AND r.tz IS NOT NULL
GROUP BY r.code
ORDER BY r.code
