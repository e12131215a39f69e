-- Departures out of the three New York airports, on :date and the four weeks before it.
SELECT
    f.date,
    f.origin,
    f.dest,
    f.carrier,
    a.name AS airline,
    f.flight,
    f.sched_dep_time,
    f.dep_time,
    f.dep_delay,
    f.distance,
    w.wind_speed,
    w.precip,
    w.visib
FROM flights AS f
JOIN airlines AS a ON a.carrier = f.carrier
LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE f.date BETWEEN date(:date, '-28 days') AND :date
ORDER BY f.date, f.origin, f.sched_dep_time, f.carrier, f.flight
