-- en: The five latest arrivals, with the wind at both ends
-- pt: As cinco chegadas mais atrasadas, com o vento nas duas pontas
-- en: Wind in m/s: at the origin of the last report at or before the scheduled departure, at the destination at or before the scheduled arrival. Empty where the source has no weather.
-- pt: Vento em m/s: na origem do último boletim até a partida prevista, no destino até a chegada prevista. Vazio onde a fonte não tem o tempo.
SELECT
    carrier, flight, origin, dest, year, month, day, arr_delay,
    wind_speed_ms AS origin_wind_speed_ms, dest_wind_speed_ms
FROM flights
WHERE arr_delay IS NOT NULL
ORDER BY arr_delay DESC, carrier, flight
LIMIT 5
