-- en: Mean departure delay
-- pt: Atraso médio na partida
-- en: Minutes, over all flights that left; an early one counts as negative.
-- pt: Em minutos, sobre todos os voos que partiram; o adiantado conta como negativo.
SELECT avg(dep_delay) AS mean_dep_delay_min, count(dep_delay) AS departed
FROM flights
