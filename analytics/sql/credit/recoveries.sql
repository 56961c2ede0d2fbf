-- What came in after the default of each loan, summed by day; the loan is read beside it.
SELECT h.loan_id, r.paid_on, SUM(r.amount)
FROM analytics_loanhistory h
JOIN customers_repayment r ON r.loan_id = h.loan_id AND r.paid_on > h.defaulted_on
WHERE h.defaulted_on IS NOT NULL AND r.paid_on <= %(as_of)s
GROUP BY h.loan_id, r.paid_on
ORDER BY h.loan_id, r.paid_on
