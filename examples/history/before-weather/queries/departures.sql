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
    f.distance
FROM flights AS f
JOIN airlines AS a ON a.carrier = f.carrier
WHERE f.date BETWEEN date(:date, '-28 days') AND :date
ORDER BY f.date, f.origin, f.sched_dep_time, f.carrier, f.flight
