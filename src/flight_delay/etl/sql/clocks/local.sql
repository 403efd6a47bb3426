-- One row per record of a source whose times are those of the airports' own clocks; only renamed, so worked out when it is read.
SELECT
    line, id, year, month, day, sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time, arr_delay,
    -- A code that was given again carries a number for its former owner: "PA (1)".
    regexp_replace(carrier, ' *[(][0-9][)]$', '') AS carrier,
    carrier_name, flight, tailnum, origin, dest, air_time_min, distance_mi, cancelled, diverted,
    cast(NULL AS string) AS problem
FROM raw_records
