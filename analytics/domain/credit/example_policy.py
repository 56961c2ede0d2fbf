"""A policy that the form begins with while there is no other; nobody's policy, and no advice."""

from collections.abc import Mapping
from typing import Any

from analytics.domain.modelling.life.choices import ModelPurpose

EXAMPLE_POLICY: Mapping[str, Any] = {
    # Of our own scores the one that is a chance of default: it has a name that people read.
    "score_model": ModelPurpose.DEFAULT_RISK.value,
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
        {"name": "A", "most_risk": "0.02", "annual_rate": "0.08", "limit_amount": 50000},
        {"name": "B", "most_risk": "0.05", "annual_rate": "0.12", "limit_amount": 30000},
        {"name": "C", "most_risk": "0.10", "annual_rate": "0.18", "limit_amount": 10000},
    ],
}
