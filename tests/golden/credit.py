"""Published and worked numbers of credit: all-in cost, roll rates, flows, expected loss.

Sources: annuities worked independently (12 payments; a guarantee of 80 a month; 3 % taken off at
once; flat interest of 7.2 % by equal instalments; 24 %), People's Bank of China announcement 2021
no. 3, and the roll and loss examples of retail lending handbooks.
"""

# Proceeds, payment, payments, yearly rate by simple and by compound interest.
ALL_IN_COST = [
    (10_000, 888.4879, 12, 0.12, 0.126825),
    (10_000, 968.4879, 12, 0.287, 0.327931),
    (9_700, 888.4879, 12, 0.178249, 0.193557),
    (10_000, 893.3333333, 12, 0.130342, 0.138418),
    (10_000, 945.596, 12, 0.24, 0.268242),
]
# Exposure, yearly hazard, loss given default, rate; loss of twelve months and of three years.
EXPECTED_LOSS = (10_000, 0.02, 0.45, 0.05, 85.7142857, 240.3809524)
# A policy that may stand; not a published one.
POLICY = {
    "score_model": "application_pd",
    "score_age_days": 30,
    "hard_rules": {
        "age_years": 18,
        "monthly_income": 2000,
        "current_dpd_days": 0,
        "charged_off_count": 0,
    },
    "explanations": {"worst_dpd_days": 60, "open_loan_count": 4, "payment_to_income": "0.5"},
    "cut_off": "0.10",
    "review_from": "0.08",
    "rate_floor": "0.05",
    "rate_cap": "0.24",
    "least_amount": 1000,
    "bands": [
        {
            "name": "A",
            "most_risk": "0.02",
            "annual_rate": "0.08",
            "limit_amount": 50000,
            "income_multiple": 6,
        },
        {
            "name": "B",
            "most_risk": "0.05",
            "annual_rate": "0.12",
            "limit_amount": 30000,
            "income_multiple": 6,
        },
        {
            "name": "C",
            "most_risk": "0.10",
            "annual_rate": "0.18",
            "limit_amount": 10000,
            "income_multiple": 3,
        },
    ],
}
