-- Who was sent to and converted in time, with both moments; follows `persons`.
SELECT o.person_id, o.channel, COALESCE(va.key, ''), o.exposed_at, o.converted_at
FROM outcome o
LEFT JOIN campaigns_variant va ON va.id = o.variant_id
WHERE o.is_converted = 1 AND o.is_control = 0 AND o.is_sent = 1
ORDER BY o.person_id, o.exposed_at
