import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from sklearn.metrics import adjusted_rand_score

from analytics.models import DiscoveryModel
from analytics.selectors.discovery_features import FeatureProtected, FeatureUnknown
from analytics.services import discovery, discovery_clusters
from analytics.services.discovery_models import DiscoveryModelChanged
from analytics.services.discovery_writing import DiscoveryRefused
from campaigns.models import ModelAudience
from campaigns.services.campaigns import fairness
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Customer,
    Event,
    EventType,
    Score,
    Segment,
)
from customers.services.segments import versions
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

FEATURES = ("attribute.balance", "attribute.visits")


def _repaid(customer, days, amount, now, key):
    kind, _created = EventType.objects.get_or_create(name="repayment_made")
    return Event(
        customer=customer,
        type=kind,
        occurred_at=now - timedelta(days=days),
        received_at=now,
        amount=Decimal(amount),
        source="bank",
        dedup_key=key,
    )


def _population(values, now, *, start=0):
    """Customers with the given balances and visits as attributes."""
    people = list(make_linked(f"c{start + n}" for n in range(len(values))).values())
    kinds = [
        AttributeDefinition.objects.get_or_create(
            name=name, defaults={"value_type": "number", "label_zh": zh, "label_en": name}
        )[0]
        for name, zh in (("balance", "余额"), ("visits", "到访"))
    ]
    AttributeValue.objects.bulk_create(
        AttributeValue(customer=person, definition=kind, number=round(value, 2), updated_at=now)
        for person, row in zip(people, values, strict=True)
        for kind, value in zip(kinds, row, strict=True)
    )
    return people


def _planted(size, seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, size, p=(0.5, 0.3, 0.2))
    centres = np.array([[20_000, 3], [500, 40], [500, 1]])[truth]
    return centres * np.exp(rng.normal(0, 0.1, (size, 2))), truth


def _members(slug, now):
    found = versions.audience_of(Segment.objects.get(slug=slug), now=now)
    return set(found.values_list("external_id", flat=True))


def test_b5_rfm_scores_are_stored_with_version_and_used_by_segments(actor, now):
    people = make_linked([f"c{n}" for n in range(1, 6)] + ["idle"])
    log = []
    for n in range(1, 6):
        # c1 repaid most recently, most often and most.
        log += [
            _repaid(people[f"c{n}"], n * 20 + turn, 600 - n * 100, now, f"{n}-{turn}")
            for turn in range(6 - n)
        ]
    log.append(_repaid(people["idle"], 400, 9999, now, "too old"))
    Event.objects.bulk_create(log)

    result = discovery.discover_rfm(actor=actor, now=now)

    cells = Score.objects.filter(model_name="rfm").order_by("-value")
    assert list(cells.values_list("customer__external_id", "value")) == [
        ("c1", 555),
        ("c2", 444),
        ("c3", 333),
        ("c4", 222),
        ("c5", 111),
    ]
    assert {(s.version, s.scored_at) for s in cells} == {(result.version, now)}
    rule = {"combinator": "and", "rules": [{"field": "score.rfm_r", "operator": "=", "value": 5}]}
    assert versions.audience_queryset(rule, now=now).get().external_id == "c1"
    assert _members("rfm-important-value", now) == {"c1", "c2"}
    assert _members("rfm-general-win-back", now) == {"c3", "c4", "c5"}
    assert Segment.objects.get(slug="rfm-important-value").name.startswith("重要价值客户")
    assert sum(found.size for found in result.segments) == result.people == 5
    assert AuditEntry.objects.filter(action="discovery.rfm").count() == 1


def test_rfm_as_of_the_future_is_refused_and_writes_nothing(actor, now):
    with pytest.raises(DiscoveryRefused):
        discovery.discover_rfm(actor=actor, now=now, as_of=now + timedelta(days=1))

    assert (Score.objects.count(), Segment.objects.count()) == (0, 0)


def test_c13_clusters_become_segments_and_new_customers_join_the_same_ones(actor, now):
    values, truth = _planted(400, seed=1)
    _population(values, now)

    first = discovery_clusters.discover_clusters(
        actor=actor, now=now, features=FEATURES, max_clusters=5
    )

    assert [found.slug for found in first.segments] == ["cluster-1", "cluster-2", "cluster-3"]
    number = {name: found.slug for found in first.segments for name in _members(found.slug, now)}
    labels = [number[f"c{n}"] for n in range(400)]
    assert adjusted_rand_score(truth, labels) >= 0.9
    again = discovery_clusters.discover_clusters(
        actor=actor, now=now, features=FEATURES, max_clusters=5
    )
    assert again == first
    assert DiscoveryModel.objects.count() == 1

    more, new_truth = _planted(60, seed=2)
    _population(more, now, start=400)
    later = now + timedelta(days=1)
    result = discovery_clusters.assign_clusters(actor=actor, now=later)

    joined = {name: found.slug for found in result.segments for name in _members(found.slug, later)}
    assert {name: joined[name] for name in number} == number
    assert adjusted_rand_score(new_truth, [joined[f"c{400 + n}"] for n in range(60)]) >= 0.9
    segment = Segment.objects.get(slug="cluster-1")
    assert "余额高" in segment.name
    assert "high balance" in segment.name
    assert "稳定性" in segment.description
    sources = set(segment.members.values_list("source", flat=True))
    assert sources == {f"cluster@{first.version}"}
    audiences = ModelAudience.objects.order_by("segment__slug")
    assert [(row.segment.slug, row.base, row.source) for row in audiences] == [
        (f"cluster-{number}", None, f"cluster@{first.version}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("is_digest_fitted", [False, True])
def test_a_model_that_was_changed_in_the_database_is_not_used(actor, now, is_digest_fitted):
    values, _truth = _planted(200, seed=1)
    _population(values, now)
    discovery_clusters.discover_clusters(actor=actor, now=now, features=FEATURES, max_clusters=4)
    stored = DiscoveryModel.objects.get()
    stored.content = stored.content.replace('"stability":', '"stability" :')
    if is_digest_fitted:
        stored.digest = hashlib.sha256(stored.content.encode()).hexdigest()
    stored.save()

    with pytest.raises(DiscoveryModelChanged):
        discovery_clusters.assign_clusters(actor=actor, now=now)


def _alike(now):
    """220 seeds, 80 people like them who are not marked, and 900 others."""
    rng = np.random.default_rng(8)
    alike = np.arange(1200) < 300
    values = np.column_stack(
        [
            np.where(alike, rng.normal(9000, 900, 1200), rng.normal(5000, 1500, 1200)),
            np.where(alike, rng.poisson(20, 1200), rng.poisson(12, 1200)),
        ]
    )
    return _population(np.maximum(values, 0), now)


def _seed(actor, now, people, slug="best"):
    ids = [person.pk for person in people]
    versions.replace_members(
        actor=actor, slug=slug, name=slug, customer_ids=ids, source="file", now=now
    )


def test_c14_a_lookalike_segment_finds_people_like_the_seed_with_lift(actor, now):
    people = _alike(now)
    _seed(actor, now, people[:220])

    result = discovery.discover_lookalike(
        actor=actor, now=now, seed_segment="best", features=FEATURES, share=0.1
    )

    assert result.lift.ratio > 2
    found = _members("lookalike-best", now)
    assert len(found) == 98
    assert not found & {f"c{n}" for n in range(220)}
    assert len(found & {f"c{n}" for n in range(220, 300)}) > 50
    # The check before a launch compares them with everybody.
    audience = ModelAudience.objects.get(segment__slug="lookalike-best")
    assert (audience.base, audience.score_models) == (None, ["lookalike_best"])
    inside = {"field": "segment", "operator": "=", "value": "lookalike-best"}
    report = fairness.measure_rule({"combinator": "and", "rules": [inside]}, now=now)
    assert (report.audience, report.base) == (98, Customer.objects.count())
    assert Score.objects.filter(model_name="lookalike_best", is_latest=True).count() == 980
    out = StringIO()
    call_command(
        *("discover_segments", "--method", "lookalike", "--seed-segment", "best"),
        *("--features", ",".join(FEATURES), "--json"),
        stdout=out,
    )
    told = json.loads(out.getvalue())
    assert told["lift"]["numerator"] == result.lift.found
    assert {driver["feature"] for driver in told["drivers"]} == set(FEATURES)


@pytest.mark.parametrize("name", ["age", "gender", "marital", "attribute.faith", "faith"])
def test_c14_protected_attributes_cannot_be_used(actor, now, name):
    AttributeDefinition.objects.create(name="faith", value_type="number", is_protected=True)

    with pytest.raises(FeatureProtected):
        discovery.discover_lookalike(
            actor=actor, now=now, seed_segment="best", features=["loan_count", name]
        )
    with pytest.raises(FeatureProtected):
        discovery_clusters.discover_clusters(actor=actor, now=now, features=[name])
    assert "attribute.faith" not in discovery.discovery_features.usable_features()
    assert Segment.objects.count() == 0


def test_an_unknown_feature_is_named(actor, now):
    with pytest.raises(FeatureUnknown):
        discovery_clusters.discover_clusters(actor=actor, now=now, features=["luck"])


def test_c14_a_small_seed_and_one_without_likeness_are_refused(actor, now):
    people = _alike(now)
    _seed(actor, now, people[:199], slug="few")
    order = np.random.default_rng(1).permutation(len(people))
    _seed(actor, now, [people[at] for at in order[:250]], slug="random")

    for slug in ("few", "random"):
        with pytest.raises(DiscoveryRefused):
            discovery.discover_lookalike(actor=actor, now=now, seed_segment=slug, features=FEATURES)
        assert not Segment.objects.filter(slug=f"lookalike-{slug}").exists()
    assert (Score.objects.count(), DiscoveryModel.objects.count()) == (0, 0)


def test_people_who_switched_recommendations_off_are_in_no_discovered_segment(actor, now):
    people = _alike(now)
    Customer.objects.filter(pk=people[250].pk).update(personalisation_allowed=False)
    _seed(actor, now, people[:220])

    discovery.discover_lookalike(
        actor=actor, now=now, seed_segment="best", features=FEATURES, share=1.0
    )

    found = _members("lookalike-best", now)
    assert "c250" not in found
    assert len(found) == 979


def test_who_may_not_discover_gets_nothing(now):
    user = User.objects.create_user("reader")

    with pytest.raises(PermissionRefused):
        discovery_clusters.discover_clusters(actor=user_actor(user), now=now)

    assert Segment.objects.count() == 0


def test_the_command_tells_the_groups_and_refuses_what_cannot_be_done(now):
    people = make_linked(["a"])
    Event.objects.bulk_create([_repaid(people["a"], 3, 100, now, "1")])
    out = StringIO()

    call_command(
        *("discover_segments", "--method", "rfm", "--as-of", now.isoformat(), "--json"), stdout=out
    )

    told = json.loads(out.getvalue())
    assert told["people"] == 1
    assert {s["slug"]: s["size"] for s in told["segments"]}["rfm-general-win-back"] == 1
    with pytest.raises(CommandError):
        call_command("discover_segments", "--method", "lookalike")
