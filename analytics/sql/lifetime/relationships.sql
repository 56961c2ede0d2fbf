-- How long borrowers stayed: month of the first loan, and of the end where all is settled or one defaulted; alike ones counted.
borrowers AS (
  SELECT
    customer_id,
    MIN(disbursed_on) AS first_on,
    MAX(CASE WHEN settled_on IS NULL OR settled_on > %(until)s THEN 1 ELSE 0 END) AS is_running,
    MAX(CASE WHEN settled_on <= %(until)s THEN settled_on END) AS last_settled_on,
    MIN(CASE WHEN defaulted_on <= %(until)s THEN defaulted_on END) AS defaulted_on
  FROM loans
  GROUP BY customer_id
  HAVING MIN(disbursed_on) <= %(until)s
)
SELECT
  SUBSTR(CAST(first_on AS text), 1, 7) AS first_month,
  SUBSTR(CAST(CASE
    WHEN defaulted_on IS NOT NULL THEN defaulted_on
    WHEN is_running = 0 THEN last_settled_on
  END AS text), 1, 7) AS last_month,
  COUNT(*)
FROM borrowers
GROUP BY 1, 2
ORDER BY 1, 2
