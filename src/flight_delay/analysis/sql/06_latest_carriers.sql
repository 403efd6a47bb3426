-- en: The five carriers with the highest mean arrival delay
-- pt: As cinco companhias com o maior atraso médio na chegada
-- en: Minutes, over the flights that arrived where they were to.
-- pt: Em minutos, sobre os voos que chegaram ao destino.
SELECT carrier, min(carrier_name) AS carrier_name, avg(arr_delay) AS mean_arr_delay_min, count(arr_delay) AS arrived
FROM flights
GROUP BY carrier
HAVING count(arr_delay) > 0
ORDER BY mean_arr_delay_min DESC, carrier
LIMIT 5
