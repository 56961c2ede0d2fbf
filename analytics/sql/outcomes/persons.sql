-- Whom a campaign reached, in which run and how far, and when who of them did what it wanted: a CTE, `outcome`.
WITH touch AS (
    SELECT COALESCE(c.merged_into_id, c.id) AS person_id,
           m.id AS message_id,
           m.variant_id,
           d.run_number,
           d.channel_kind,
           d.position,
           CASE WHEN m.is_control THEN 1 ELSE 0 END AS is_control,
           CASE WHEN m.reason = %(global_control)s THEN 1 ELSE 0 END AS is_global_control,
           m.planned_at,
           CASE WHEN m.state = 'skipped' AND m.reason IN ({reasons}) THEN 0 ELSE 1 END
               AS is_eligible,
           CASE WHEN m.sent_at <= %(as_of)s THEN 1 ELSE 0 END AS is_sent,
           CASE WHEN m.delivered_at <= %(as_of)s OR v.message_id IS NOT NULL THEN 1 ELSE 0 END
               AS is_delivered,
           CASE WHEN v.message_id IS NOT NULL THEN 1 ELSE 0 END AS is_clicked,
           CASE WHEN m.sent_at <= %(as_of)s THEN m.sent_at END AS sent_at,
           COALESCE(m.due_at, d.due_at) AS due_at
    FROM campaigns_message m
    JOIN campaigns_dispatch d ON d.id = m.dispatch_id
    JOIN customers_customer c ON c.id = m.customer_id
    LEFT JOIN (
        SELECT DISTINCT lv.message_id
        FROM campaigns_linkvisit lv
        JOIN campaigns_message lm ON lm.id = lv.message_id
        JOIN campaigns_dispatch ld ON ld.id = lm.dispatch_id
        WHERE ld.campaign_id = %(campaign)s AND NOT lv.is_bot AND lv.at <= %(as_of)s
    ) v ON v.message_id = m.id
    WHERE d.campaign_id = %(campaign)s AND m.planned_at <= %(as_of)s
),
ranked AS (
    SELECT touch.*,
           ROW_NUMBER() OVER (
               PARTITION BY person_id, run_number
               ORDER BY is_delivered DESC, is_sent DESC, is_eligible DESC, position, message_id
           ) AS reach_rank,
           ROW_NUMBER() OVER (
               PARTITION BY person_id, run_number ORDER BY position, message_id
           ) AS step_rank
    FROM touch
),
person AS (
    SELECT person_id,
           run_number,
           MAX(CASE WHEN reach_rank = 1 THEN channel_kind END) AS channel,
           MAX(CASE WHEN step_rank = 1 THEN variant_id END) AS variant_id,
           MAX(is_control) AS is_control,
           MAX(CASE WHEN step_rank = 1 THEN is_global_control END) AS is_global_control,
           MIN(planned_at) AS planned_at,
           MAX(is_eligible) AS is_eligible,
           MAX(is_sent) AS is_sent,
           MAX(is_delivered) AS is_delivered,
           MAX(is_clicked) AS is_clicked,
           COALESCE(MIN(sent_at), MIN(due_at)) AS exposed_at
    FROM ranked
    GROUP BY person_id, run_number
),
known_as AS (
    SELECT person_id, run_number, person_id AS customer_id, exposed_at FROM person
    UNION ALL
    SELECT p.person_id, p.run_number, c.id, p.exposed_at
    FROM person p
    JOIN customers_customer c ON c.merged_into_id = p.person_id
),
goal AS (
    SELECT k.person_id, k.run_number, MIN(e.occurred_at) AS converted_at
    FROM known_as k
    CROSS JOIN customers_event e
    WHERE e.customer_id = k.customer_id
      AND e.occurred_at >= k.exposed_at
      AND e.occurred_at <= %(as_of)s
      AND {event_type_column} = (SELECT id FROM customers_eventtype WHERE name = %(goal)s)
    GROUP BY k.person_id, k.run_number
),
outcome AS (
    SELECT p.*,
           g.converted_at,
           CASE WHEN p.exposed_at <= %(mature_before)s THEN 1 ELSE 0 END AS is_mature,
           CASE WHEN g.converted_at <= {window_end} THEN 1 ELSE 0 END AS is_converted,
           CASE WHEN g.converted_at IS NOT NULL THEN 1 ELSE 0 END AS is_converted_ever
    FROM person p
    LEFT JOIN goal g ON g.person_id = p.person_id AND g.run_number = p.run_number
)
