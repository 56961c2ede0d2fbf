-- How many members of each stored segment were in each letter band of each model at a moment.
WITH standing AS (
    SELECT s.customer_id, s.model_name, s.band,
        ROW_NUMBER() OVER (
            PARTITION BY s.customer_id, s.model_name ORDER BY s.scored_at DESC, s.id DESC
        ) AS place
    FROM customers_score s
    WHERE s.scored_at <= %(at)s AND s.band BETWEEN 'A' AND 'Z' AND LENGTH(s.band) = 1
)
SELECT g.slug, t.model_name, t.band, COUNT(*)
FROM standing t
JOIN customers_segmentmember m ON m.customer_id = t.customer_id AND m.left_at IS NULL
JOIN customers_segment g ON g.id = m.segment_id
WHERE t.place = 1
GROUP BY g.slug, t.model_name, t.band
