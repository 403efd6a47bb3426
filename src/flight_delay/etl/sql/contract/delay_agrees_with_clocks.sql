-- en: the delays agree with the clock times, whatever the day
-- pt: os atrasos concordam com as horas do relógio, seja qual for o dia
SELECT year, month, day, carrier, flight, sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time, arr_delay
FROM flights
WHERE
    (cast(floor(dep_time / 100) AS int) * 60 + dep_time % 100
        - cast(floor(sched_dep_time / 100) AS int) * 60 - sched_dep_time % 100 - dep_delay) % 1440 <> 0
    OR (cast(floor(arr_time / 100) AS int) * 60 + arr_time % 100
        - cast(floor(sched_arr_time / 100) AS int) * 60 - sched_arr_time % 100 - arr_delay) % 1440 <> 0
