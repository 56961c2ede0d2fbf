-- The loans disbursed by a day, with the day of their default by whatever tells it; the other statements of this room follow it.
WITH loans AS (
  SELECT
    l.customer_id,
    l.id,
    l.disbursed_on,
    l.settled_on,
    CASE
      WHEN h.defaulted_on IS NOT NULL THEN h.defaulted_on
      WHEN l.charged_off_on IS NOT NULL THEN l.charged_off_on
      WHEN l.status = 'charged_off' OR (l.is_state_reported AND l.status = 'overdue')
        THEN COALESCE(l.state_as_of, l.disbursed_on)
    END AS defaulted_on
  FROM customers_loan l
  LEFT JOIN analytics_loanhistory h ON h.loan_id = l.id
  WHERE l.status NOT IN ('cancelled', 'pending') AND l.disbursed_on <= %(as_of)s
),
