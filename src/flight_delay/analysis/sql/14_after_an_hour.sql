-- en: Mean arrival delay of flights that left more than an hour late
-- pt: Atraso médio na chegada dos voos que partiram com mais de uma hora de atraso
-- en: Minutes, over those of them that arrived where they were to.
-- pt: Em minutos, sobre os que chegaram ao destino.
SELECT avg(arr_delay) AS mean_arr_delay_min, count(arr_delay) AS arrived
FROM flights
WHERE dep_delay > 60
