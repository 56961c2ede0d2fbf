from datetime import timedelta
from decimal import Decimal

import pytest

from customers.models import Score
from customers.services import scores
from customers.services.scores import GivenScore, ScoresRecorded
from customers.services.segments import versions
from loancrm.kernel.access import Actor, ActorKind, PermissionRefused
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _given(people, **values):
    return [GivenScore(people[key].pk, Decimal(str(value))) for key, value in values.items()]


def test_b5_the_latest_version_is_in_use_and_the_earlier_ones_are_kept(actor, now):
    people = make_linked(["a", "b"])
    arguments = {"actor": actor, "model_name": "rfm_r"}
    scores.record_scores(**arguments, version="v1", scores=_given(people, a=1, b=2), now=now)
    later = now + timedelta(days=1)

    result = scores.record_scores(
        **arguments, version="v2", scores=_given(people, a=5), now=later, is_complete=True
    )

    assert result == ScoresRecorded(recorded=1, unchanged=0, retired=1)
    history = Score.objects.filter(customer=people["a"]).order_by("scored_at")
    assert list(history.values_list("version", "value", "scored_at", "is_latest")) == [
        ("v1", 1, now, False),
        ("v2", 5, later, True),
    ]
    rule = {
        "combinator": "and",
        "rules": [{"field": "score.rfm_r", "operator": ">=", "value": 2}],
    }
    found = versions.audience_queryset(rule, now=later).values_list("external_id", flat=True)
    assert list(found) == ["a"]


def test_the_same_scores_again_add_nothing(actor, now):
    people = make_linked(["a", "b"])
    arguments = {"actor": actor, "model_name": "m", "version": "v1", "now": now}
    scores.record_scores(**arguments, scores=_given(people, a="0.1234567", b=2))

    again = scores.record_scores(**arguments, scores=_given(people, a="0.1234567", b=2))

    assert again == ScoresRecorded(unchanged=2)
    assert Score.objects.count() == 2
    assert AuditEntry.objects.filter(action="scores.record").count() == 2


def test_who_may_not_score_writes_nothing(now):
    people = make_linked(["a"])
    nobody = Actor(ActorKind.PARTNER, id="p", label="p", user=None)

    with pytest.raises(PermissionRefused):
        scores.record_scores(
            actor=nobody, model_name="m", version="v", scores=_given(people, a=1), now=now
        )

    assert Score.objects.count() == 0
