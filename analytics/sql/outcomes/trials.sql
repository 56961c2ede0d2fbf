-- Everybody whom a campaign was to reach or held out, run by run, since when and with what outcome; follows `persons`.
SELECT o.person_id, o.planned_at, o.is_control, o.is_eligible, o.is_mature, o.is_converted
FROM outcome o
-- Who was in the global control group is no part of the campaign's own experiment.
WHERE o.is_global_control = 0
ORDER BY o.person_id, o.run_number
