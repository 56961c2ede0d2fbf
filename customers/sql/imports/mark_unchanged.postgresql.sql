-- Marks staged rows that were applied before and have not changed since.
-- A link counts for the row alone: a customer to whom several ids of the source lead, merged ones
-- included, is left out, for there it matters which row of the file comes first.
WITH waiting AS MATERIALIZED (
    SELECT r.id, r.external_id, r.row_digest FROM customers_importrow r WHERE r.batch_id = %(batch)s AND r.state = %(staged)s AND r.is_alone
        AND r.leader_line >= %(first)s AND r.leader_line < %(end)s
),
known AS MATERIALIZED (
    SELECT w.id, link.customer_id
    FROM waiting w CROSS JOIN LATERAL (
        SELECT known.customer_id FROM customers_identitylink known
        WHERE known.source = %(source)s AND known.external_id = w.external_id
            AND known.row_digest = w.row_digest LIMIT 1
    ) link
    WHERE NOT EXISTS (
            SELECT FROM customers_identitylink other
            WHERE other.customer_id = link.customer_id AND other.source = %(source)s
                AND other.external_id <> w.external_id)
        AND NOT EXISTS (
            SELECT FROM customers_customer c
            WHERE c.id = link.customer_id AND c.merged_into_id IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM customers_customer merged WHERE merged.merged_into_id = link.customer_id)
)
UPDATE customers_importrow r
SET state = %(unchanged)s, customer_id = known.customer_id, content = NULL
FROM known WHERE r.id = known.id
