from datetime import UTC, datetime, timedelta

import pytest

from customers.domain.events.lifecycle import LifecycleFacts, Occurrences, stage_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def _facts(**days_ago):
    seen = {
        name: Occurrences(
            len(days), NOW - timedelta(days=max(days)), NOW - timedelta(days=min(days))
        )
        for name, days in days_ago.items()
    }
    return LifecycleFacts(occurrences=seen)


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        (_facts(), "lead"),
        (_facts(application_submitted=[3]), "applicant"),
        (_facts(application_submitted=[3], application_declined=[1]), "applicant"),
        (_facts(application_submitted=[9], application_approved=[3]), "approved"),
        (_facts(application_approved=[9], application_declined=[3]), "applicant"),
        (_facts(application_approved=[9], loan_disbursed=[8]), "active"),
        (_facts(loan_disbursed=[200], loan_settled=[10]), "repaid"),
        (_facts(loan_disbursed=[200], loan_settled=[90]), "dormant"),
        (_facts(loan_disbursed=[800], loan_settled=[365]), "churned"),
        (_facts(loan_disbursed=[800, 5], loan_settled=[400]), "won_back"),
        (_facts(loan_disbursed=[500, 410], loan_settled=[400]), "active"),
        (LifecycleFacts(disbursed_loan_count=1, open_loan_count=1), "active"),
        (
            LifecycleFacts(
                disbursed_loan_count=1,
                last_disbursed_at=NOW - timedelta(days=50),
                last_settled_at=NOW - timedelta(days=5),
            ),
            "repaid",
        ),
    ],
)
def test_the_stage_follows_from_what_happened(facts, stage):
    assert stage_of(facts, as_of=NOW) == stage
