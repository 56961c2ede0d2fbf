-- How the borrowers who had a loan running, none in default, at the start of a period stand on a day: alike ones counted.
borrowers AS (
  SELECT
    customer_id,
    MIN(disbursed_on) AS first_on,
    MAX(CASE WHEN settled_on IS NULL OR settled_on > %(as_of)s THEN 1 ELSE 0 END) AS is_running,
    MAX(CASE WHEN settled_on <= %(as_of)s THEN settled_on END) AS last_settled_on,
    MIN(CASE WHEN defaulted_on <= %(as_of)s THEN defaulted_on END) AS defaulted_on
  FROM loans
  GROUP BY customer_id
  HAVING MAX(CASE WHEN disbursed_on <= %(since)s AND (settled_on IS NULL OR settled_on > %(since)s)
             THEN 1 ELSE 0 END) = 1
    AND MAX(CASE WHEN defaulted_on <= %(since)s THEN 1 ELSE 0 END) = 0
)
SELECT
  CASE WHEN is_running = 0 THEN last_settled_on END AS settled_on,
  CASE WHEN defaulted_on IS NULL THEN 0 ELSE 1 END AS is_defaulted,
  COUNT(*)
FROM borrowers
GROUP BY 1, 2
ORDER BY 1, 2
