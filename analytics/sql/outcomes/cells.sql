-- Persons counted by everything that a report splits by; follows `persons`.
SELECT o.channel, COALESCE(va.key, ''), o.is_control, o.is_eligible, o.is_sent, o.is_delivered,
       o.is_clicked, o.is_mature, o.is_converted, o.is_converted_ever,
       CASE WHEN o.run_number > 1 AND EXISTS (
           SELECT 1 FROM campaigns_contenttest ct WHERE ct.campaign_id = %(campaign)s
       ) THEN 1 ELSE 0 END, o.is_global_control, COUNT(*)
FROM outcome o
LEFT JOIN campaigns_variant va ON va.id = o.variant_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
