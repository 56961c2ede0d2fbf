-- People of a period by group: how many, how many of them drew a loan in it, and the sums of what they drew.
WITH person AS (
    SELECT COALESCE(c.merged_into_id, c.id) AS person_id,
           MAX(CASE WHEN SUBSTR(MD5(%(prefix)s || CAST(c.id AS VARCHAR(20))), 1, %(digits)s)
                         < %(bound)s THEN 1 ELSE 0 END) AS is_control
    FROM customers_customer c
    WHERE c.created_at < %(known_before)s
    GROUP BY COALESCE(c.merged_into_id, c.id)
),
drawn AS (
    SELECT COALESCE(c.merged_into_id, c.id) AS person_id, SUM(l.principal_amount) AS amount
    FROM customers_loan l
    JOIN customers_customer c ON c.id = l.customer_id
    WHERE l.disbursed_on >= %(first)s AND l.disbursed_on <= %(last)s
    GROUP BY COALESCE(c.merged_into_id, c.id)
)
SELECT p.is_control, COUNT(*), COUNT(d.amount), COALESCE(SUM(d.amount), 0),
       COALESCE(SUM(d.amount * d.amount), 0)
FROM person p
LEFT JOIN drawn d ON d.person_id = p.person_id
GROUP BY p.is_control
