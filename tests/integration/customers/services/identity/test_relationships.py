"""S15 and S19: ties between customers are derived, bounded, and used for risk alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.selectors import discovery_features
from analytics.selectors.discovery_features import FeatureProtected
from campaigns.selectors.sending.attribute_facts import attributes
from customers.domain.fields.catalogue import RuleUse
from customers.domain.relationships import HUB_SIZE, RiskPurpose
from customers.domain.segments.problems import RuleRefused, SegmentProblemCode
from customers.domain.segments.validate import read_rule
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    ContactPoint,
    Customer,
    IdentityLink,
    Loan,
    Relationship,
    SharedKey,
    SharedTie,
)
from customers.selectors.segments import catalogue as segment_catalogue
from customers.selectors.segments import references
from customers.selectors.segments.query import customers_matching
from customers.services import relationships
from customers.services.identity import merging
from loancrm.kernel import clock, roles
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.security import crypto
from loancrm.kernel.security.crypto import INDEX_DIGITS
from tests.factories.campaigns import make_approved, make_channel
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


def _attribute(person, name, text, *, source="core", at=NOW):
    definition, _new = AttributeDefinition.objects.get_or_create(
        name=name, defaults={"value_type": "text"}
    )
    AttributeValue.objects.update_or_create(
        customer=person,
        definition=definition,
        defaults={"text": text, "source": source, "updated_at": at},
    )


def _phone(person, number, *, is_primary=False):
    vault = crypto.vault()
    point = ContactPoint(customer=person, kind="phone", is_primary=is_primary, created_at=NOW)
    point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, number)
    point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, number)
    point.save()


def _loan(person, **columns):
    Loan.objects.create(
        **{
            "source": "core",
            "external_id": f"L{person.pk}",
            "customer": person,
            "principal_amount": 1000,
            "term_months": 12,
            "disbursed_on": date(2025, 1, 1),
        }
        | columns
    )


def _features(person):
    rows = AttributeValue.objects.filter(customer=person, source="relationships")
    return dict(rows.values_list("definition__name", "number"))


def _network(person, actor, now=NOW):
    return relationships.look_at(
        actor=actor, customer_id=person.pk, purpose=RiskPurpose.FRAUD_CHECK, now=now
    )


@pytest.fixture
def chain(actor):
    """a and b have a phone in common, b and c a device, c and d an employer; d guarantees a."""
    a, b, c, d, alone = make_people(5)
    _phone(a, "+8613900000001")
    _phone(b, "+8613900000001", is_primary=False)
    for person in (b, c):
        _attribute(person, "device_id", "  ABC-1 " if person is b else "abc-1")
    for person in (c, d):
        _attribute(person, "employer", "示例公司")
    for person in (a, b, c, d):
        IdentityLink.objects.create(
            source="core", external_id=f"C{person.pk}", customer=person, created_at=NOW
        )
    _attribute(a, "guaranteed_by", f"C{d.pk}")
    relationships.derive(actor=actor, now=NOW)
    return a, b, c, d, alone


def test_s15_two_hops_around_a_customer(chain, actor):
    a, b, c, d, _alone = chain

    found = _network(a, actor)

    assert {(p.place.customer_id, p.place.hop) for p in found.people} == {
        (a.pk, 0), (b.pk, 1), (d.pk, 1), (c.pk, 2),
    }  # fmt: skip
    assert {(link.one, link.other): link.kinds for link in found.links} == {
        (a.pk, b.pk): ("phone",),
        (a.pk, d.pk): ("guarantor",),
        (b.pk, c.pk): ("device",),
        (c.pk, d.pk): ("employer",),
    }
    assert [(tie.kind, tie.people, tie.source, tie.since) for tie in found.ties] == [
        ("phone", 2, "", NOW),
        ("guarantor", 2, "core", NOW),
    ]


def test_s15_values_are_hashed_and_names_masked(chain, actor):
    assert {p.masked_name for p in _network(chain[0], actor).people} == {"客**"}
    for row in SharedKey.objects.all():
        assert len(row.value_index) == INDEX_DIGITS
    assert not [f.name for f in SharedKey._meta.fields if "sealed" in f.name or f.name == "value"]


def test_s15_nobody_tied_is_an_empty_picture(chain, actor):
    found = _network(chain[4], actor)

    assert (len(found.people), list(found.links), list(found.ties)) == (1, [], [])


def test_doing_it_again_writes_nothing_and_finds_the_same(chain, actor):
    before = set(SharedTie.objects.values_list("pk", flat=True))
    values = dict(AttributeValue.objects.values_list("pk", "updated_at"))

    again = relationships.derive(actor=actor, now=NOW + timedelta(days=1), is_full=True)

    assert again.customer_count == 5
    assert set(SharedTie.objects.values_list("pk", flat=True)) == before
    assert dict(AttributeValue.objects.values_list("pk", "updated_at")) == values


def test_an_incremental_run_looks_only_at_what_changed(chain, actor):
    a, b, c, d, alone = chain
    relationships.derive(actor=actor, now=NOW + timedelta(hours=1))
    later = NOW + timedelta(days=2)
    _attribute(d, "employer", "另一家公司", at=later)
    _attribute(alone, "employer", "另一家公司", at=later)

    found = relationships.derive(actor=actor, now=later + timedelta(minutes=1))

    # a names d as guarantor, so a counts as well.
    assert (found.customer_count, found.is_full) == (3, False)
    assert _features(c)["graph_degree"] == 1
    assert _features(alone)["graph_degree"] == 1
    full = {person.pk: _features(person) for person in chain}
    relationships.derive(actor=actor, now=later + timedelta(hours=1), is_full=True)
    assert {person.pk: _features(person) for person in chain} == full
    assert {b.pk, a.pk} <= {pk for pk, features in full.items() if features}


def test_a_merge_moves_the_ties_to_whoever_is_kept(chain, actor):
    a, b, c, _d, alone = chain
    merging.merge(actor=actor, kept_id=alone.pk, other_id=b.pk, now=NOW + timedelta(hours=1))

    relationships.derive(actor=actor, now=NOW + timedelta(hours=2))

    assert not SharedTie.objects.filter(customer=b).exists()
    assert {p.place.customer_id for p in _network(alone, actor).people if p.place.hop == 1} == {
        a.pk, c.pk,
    }  # fmt: skip


def test_s19_features_equal_those_counted_by_hand(chain, actor):
    a, b, c, d, _alone = chain
    _loan(b, max_dpd_days=95)
    _loan(d)
    _loan(c, status="cancelled", max_dpd_days=120)

    relationships.derive(actor=actor, now=NOW, is_full=True)

    rate = "graph_neighbour_default_rate"
    assert _features(a) == {"graph_degree": 2, "graph_shared_devices": 0, rate: Decimal("0.5")}
    assert _features(b) == {"graph_degree": 2, "graph_shared_devices": 1}
    assert _features(c) == {"graph_degree": 2, "graph_shared_devices": 1, rate: Decimal("0.5")}


def test_a_hub_is_counted_and_never_followed(actor):
    people = make_people(5_000)
    vault = crypto.vault()
    index = vault.blind_index(ContactPoint.VALUE_COLUMN, "+862180000000")
    ContactPoint.objects.bulk_create(
        ContactPoint(
            customer=person, kind="phone", value_sealed=b"", value_index=index,
            is_primary=False, created_at=NOW,
        )
        for person in people
    )  # fmt: skip
    _attribute(people[0], "device_id", "x")
    _attribute(people[1], "device_id", "x")
    relationships.derive(actor=actor, now=NOW)
    _network(people[0], actor)

    with CaptureQueriesContext(connection) as caught:
        found = _network(people[0], actor)

    hub = next(tie for tie in found.ties if tie.kind == "phone")
    assert (hub.people, hub.is_hub) == (5_000, True)
    assert [p.place.customer_id for p in found.people] == [people[0].pk, people[1].pk]
    selects = [q for q in caught if q["sql"].startswith("SELECT") and "customers_" in q["sql"]]
    # The customer itself, and eight for the picture.
    assert len(selects) == 9
    assert _features(people[0])["graph_degree"] == 1


def test_the_picture_costs_the_same_however_many_people_are_in_it(actor):
    people = make_people(HUB_SIZE)
    for person in people[:2]:
        _attribute(person, "employer", "one")
    relationships.derive(actor=actor, now=NOW)
    with CaptureQueriesContext(connection) as few:
        _network(people[0], actor)
    for person in people:
        _attribute(person, "address", "same house")
    relationships.derive(actor=actor, now=NOW, is_full=True)
    with CaptureQueriesContext(connection) as many:
        found = _network(people[0], actor)

    assert len(few) == len(many)
    assert (found.first_count, len(found.people)) == (HUB_SIZE - 1, HUB_SIZE)


def test_s19_purpose_limitation_the_marketing_rule_builder_neither_sees_nor_uses_it(chain):
    catalogue = segment_catalogue.load_catalogue()
    rule = {
        "combinator": "and",
        "rules": [{"field": "attribute.graph_degree", "operator": ">=", "value": 1}],
    }
    shown = str(segment_catalogue.catalogue_for_builder(language="en", catalogue=catalogue))

    assert "graph_" not in shown
    for use in (RuleUse.MARKETING, RuleUse.CREDIT_OFFER):
        with pytest.raises(RuleRefused) as refused:
            read_rule(rule, catalogue=catalogue, use=use)
        assert [p.code for p in refused.value.problems] == [SegmentProblemCode.FIELD_NOT_ALLOWED]


def test_s19_risk_may_use_it(chain):
    a, b, c, d, _alone = chain
    rule = {
        "combinator": "and",
        "rules": [{"field": "attribute.graph_degree", "operator": ">=", "value": 2}],
    }

    tree, scope = references.load_rule(rule, now=NOW, zone=clock.company_zone(), use=RuleUse.RISK)

    assert set(customers_matching(tree, scope)) == {a, b, c, d}


def test_s19_purpose_limitation_texts_and_groupings_cannot_use_it(chain, actor, now):
    make_channel("sms")
    text = {"zh-hans": {"text": "您有{{ graph_degree }}位关联人。"}}

    with pytest.raises(Exception, match="graph_degree"):
        make_approved(actor, now, channel="sms-memory", content=text)
    assert attributes([chain[0].pk], ["graph_degree"]) == {}
    assert not [name for name in discovery_features.usable_features() if "graph" in name]
    with pytest.raises(FeatureProtected):
        discovery_features.chosen_features(["attribute.graph_degree"])


def test_an_attribute_opened_to_marketing_by_hand_is_closed_again(chain, actor):
    AttributeDefinition.objects.filter(name="graph_degree").update(is_risk_only=False)

    relationships.derive(actor=actor, now=NOW)

    assert AttributeDefinition.objects.get(name="graph_degree").is_risk_only


def test_who_may_not_look_sees_nothing_and_who_may_leaves_a_trace(chain):
    roles.ensure_roles()
    marketer, officer = (
        User.objects.create_user(name, is_staff=True) for name in ("marketer", "officer")
    )
    marketer.groups.add(*marketer.groups.model.objects.filter(name="marketer"))
    officer.groups.add(*officer.groups.model.objects.filter(name="compliance"))

    with pytest.raises(PermissionRefused):
        _network(chain[0], user_actor(marketer))
    assert not AuditEntry.objects.filter(action="relationships.look").exists()
    _network(chain[0], user_actor(officer))

    entry = AuditEntry.objects.get(action="relationships.look")
    assert (entry.reason, entry.actor_id) == ("fraud_check", str(officer.pk))
    assert not Permission.objects.filter(
        group__name="marketer", codename__contains="relationship"
    ).exclude(codename="view_relationshiprun")


def test_who_may_not_change_derives_nothing(chain):
    before = Relationship.objects.count()

    with pytest.raises(PermissionRefused):
        relationships.derive(actor=user_actor(User.objects.create_user("x")), now=NOW)
    assert Relationship.objects.count() == before


def test_there_is_no_way_in_for_address_books():
    fields = {f.name for model in (Customer, SharedTie, Relationship) for f in model._meta.fields}

    assert not [name for name in fields if "contact_list" in name or "address_book" in name]
    # Ties come from customers' own data only: both ends are customers.
    assert {f.related_model for f in Relationship._meta.fields if f.is_relation} == {Customer}


def test_a_number_of_queries_that_does_not_grow_with_a_batch(actor):
    counts = []
    for size, prefix in ((3, "x"), (60, "y")):
        people = make_people(size, prefix=prefix)
        for person in people:
            _attribute(person, "address", f"{prefix} street")
        Customer.objects.filter(pk__in=[p.pk for p in people]).update(updated_at=NOW)
        with CaptureQueriesContext(connection) as caught:
            relationships.derive(actor=actor, now=NOW, is_full=True)
        counts.append(len(caught))

    assert counts[1] <= counts[0]
