-- The loans with a plan that were settled in a period: alike ones counted.
settled AS (
  SELECT id, settled_on, defaulted_on
  FROM loans
  WHERE settled_on > %(since)s AND settled_on <= %(as_of)s
)
SELECT settled.settled_on, plan.due_on, settled.defaulted_on, COUNT(*)
FROM settled
JOIN (
  SELECT i.loan_id, MAX(i.due_on) AS due_on
  FROM customers_instalment i
  WHERE i.loan_id IN (SELECT id FROM settled)
  GROUP BY i.loan_id
) plan ON plan.loan_id = settled.id
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
