-- The first loans of borrowers that were settled in a period, with the day of the second: alike ones counted.
ranked AS (
  SELECT
    settled_on,
    defaulted_on,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY disbursed_on, id) AS place,
    LEAD(disbursed_on) OVER (PARTITION BY customer_id ORDER BY disbursed_on, id) AS next_on
  FROM loans
)
SELECT settled_on, next_on, defaulted_on, COUNT(*)
FROM ranked
WHERE place = 1 AND settled_on > %(since)s AND settled_on <= %(until)s
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
