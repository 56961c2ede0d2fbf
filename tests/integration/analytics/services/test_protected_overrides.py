"""Protected attributes: refused unless compliance has recorded a leave, and traced when used."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from analytics.domain.discovery_choices import DiscoveryChoices, Method
from analytics.models import DiscoveryModel, ProtectedOverride
from analytics.selectors.discovery_features import FeatureProtected, FeatureUnknown
from analytics.services import discovery, discovery_clusters, discovery_runs, protected_overrides
from analytics.services.protected_overrides import OverrideRefused
from customers.models import AttributeDefinition, AttributeValue, Customer, Segment
from loancrm.kernel import clock
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.manifest import Role
from loancrm.kernel.models import AuditEntry
from loancrm.kernel.roles import ensure_roles
from tests.factories.links import make_linked

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

WHY = "Fairness review 7 of the board"


@pytest.fixture
def as_role():
    ensure_roles()

    def user_of(role):
        user, _new = User.objects.get_or_create(username=f"one-{role}", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return user_of


@pytest.fixture
def people(now):
    """Two groups of a hundred that differ in sex, in a protected word and in a number."""
    found = list(make_linked(f"c{n}" for n in range(200)).values())
    for name, kind, protected in (
        ("faith", "text", True),
        ("balance", "number", False),
        ("hidden", "number", False),
    ):
        AttributeDefinition.objects.create(
            name=name, value_type=kind, is_protected=protected, is_risk_only=name == "hidden"
        )
    kinds = {row.name: row for row in AttributeDefinition.objects.all()}
    rng = np.random.default_rng(1)
    for n, person in enumerate(found):
        person.gender = "male" if n < 100 else "female"
    Customer.objects.bulk_update(found, ["gender"])
    AttributeValue.objects.bulk_create(
        AttributeValue(customer=person, definition=kinds[name], updated_at=now, **value)
        for n, person in enumerate(found)
        for name, value in (
            ("faith", {"text": "a" if n < 100 else "b"}),
            ("balance", {"number": round(float(rng.normal(100 if n < 100 else 900, 5)), 2)}),
        )
    )
    return found


def _leave(user, feature, now, days=30):
    return protected_overrides.record_override(
        actor=user_actor(user),
        feature=feature,
        reason=WHY,
        valid_until=clock.today() + timedelta(days=days),
        now=now,
    )


@pytest.mark.parametrize("feature", ["gender", "attribute.faith"])
def test_s14_a_model_with_a_protected_attribute_is_refused_unless_an_override_is_recorded(
    people, as_role, actor, feature
):
    now = clock.now()
    columns = (feature, "attribute.balance")
    with pytest.raises(FeatureProtected):
        discovery_clusters.discover_clusters(actor=actor, now=now, features=columns)
    assert not DiscoveryModel.objects.exists()
    leave = _leave(as_role(Role.COMPLIANCE), feature, now)

    found = discovery_clusters.discover_clusters(
        actor=actor, now=now, features=columns, max_clusters=3
    )

    assert found.overrides == {feature: leave.pk}
    assert any(c.name == feature for c in found.model.scaling.columns)
    stored = json.loads(DiscoveryModel.objects.get().content)
    assert stored["overrides"] == {feature: leave.pk}
    used = AuditEntry.objects.get(action="discovery.clusters")
    assert used.facts["overrides"] == {feature: leave.pk}
    recorded = AuditEntry.objects.get(action="protected_override.recorded")
    assert (recorded.reason, recorded.facts["feature"]) == (WHY, feature)

    protected_overrides.end_override(
        actor=user_actor(as_role(Role.COMPLIANCE)), override_id=leave.pk, now=now
    )
    with pytest.raises(FeatureProtected):
        discovery_clusters.assign_clusters(actor=actor, now=now)


def test_s14_leave_ends_by_itself_and_is_for_one_attribute_and_never_for_look_alikes(
    people, as_role, actor
):
    now = clock.now()
    _leave(as_role(Role.COMPLIANCE), "gender", now, days=0)

    for features, at in ((("gender",), now + timedelta(days=2)), (("marital",), now)):
        with pytest.raises(FeatureProtected):
            discovery_clusters.discover_clusters(actor=actor, now=at, features=features)
    with pytest.raises(FeatureProtected):
        discovery.discover_lookalike(actor=actor, now=now, seed_segment="any", features=["gender"])
    choices = DiscoveryChoices(Method.LOOKALIKE, seed_segment="seed", features=("gender",))
    Segment.objects.create(slug="seed", name="seed", created_at=now)
    with pytest.raises(FeatureProtected):
        discovery_runs.start_run(actor=actor, choices=choices, now=now)


def test_s14_who_uses_it_may_not_give_leave_and_what_is_for_risk_only_has_none(people, as_role):
    now = clock.now()
    for role in (Role.ANALYST, Role.MARKETER, Role.APPROVER, Role.STEWARD):
        with pytest.raises(PermissionRefused):
            _leave(as_role(role), "gender", now)
    officer = as_role(Role.COMPLIANCE)
    for feature in ("attribute.hidden", "attribute.balance", "birth_date", "nothing"):
        with pytest.raises(OverrideRefused):
            _leave(officer, feature, now)
    for days in (-1, 400):
        with pytest.raises(OverrideRefused):
            _leave(officer, "gender", now, days=days)
    assert not ProtectedOverride.objects.exists()
    with pytest.raises((FeatureProtected, FeatureUnknown)):
        discovery_clusters.discover_clusters(
            actor=user_actor(as_role(Role.ANALYST)), now=now, features=["attribute.hidden"]
        )


def test_s14_compliance_records_and_ends_a_leave_in_the_admin(people, as_role):
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(as_role(Role.COMPLIANCE))
    listed = reverse("admin:analytics_protectedoverride_changelist")
    assert "登记豁免" in client.get(listed).content.decode()
    add = reverse("admin:analytics_protectedoverride_add")
    wrong = client.post(add, {"feature": "gender", "reason": "x", "valid_until": "2020-01-01"})
    assert not ProtectedOverride.objects.exists()
    assert len(wrong.context["adminform"].form.errors) == 2

    day = clock.today() + timedelta(days=9)
    client.post(add, {"feature": "gender", "reason": WHY, "valid_until": day.isoformat()})
    row = ProtectedOverride.objects.get()
    assert (row.feature, row.recorded_by.username) == ("gender", "one-compliance")
    client.force_login(as_role(Role.ANALYST))
    form = client.get(reverse("discoveries:start", args=["clusters"])).content.decode()
    assert 'value="gender"' in form
    form = client.get(reverse("discoveries:start", args=["lookalike"])).content.decode()
    assert 'value="gender"' not in form
    assert client.get(add).status_code == 403

    client.force_login(as_role(Role.COMPLIANCE))
    client.post(listed, {"action": "end_leave", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.ended_at is not None
    page = client.get(listed).content.decode()
    assert "已结束" in page
    assert "登记人" in page
