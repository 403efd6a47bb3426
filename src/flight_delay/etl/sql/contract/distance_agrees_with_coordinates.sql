-- en: the distance is the great circle between the airports, within 30 km and 2 percent
-- pt: a distância é a do grande círculo entre os aeroportos, com folga de 30 km e 2 por cento
SELECT DISTINCT origin, dest, distance_km, great_circle_km
FROM (
    SELECT
        origin, dest, distance_km,
        2 * 6371.0088 * asin(sqrt(
            power(sin(radians(dest_lat - origin_lat) / 2), 2)
            + cos(radians(origin_lat)) * cos(radians(dest_lat)) * power(sin(radians(dest_lon - origin_lon) / 2), 2)
        )) AS great_circle_km
    FROM flights
) AS measured
WHERE abs(distance_km - great_circle_km) > 30 + 0.02 * great_circle_km
