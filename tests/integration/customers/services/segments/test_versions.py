import pytest
from django.contrib.auth.models import Permission, User

from customers.domain.fields.catalogue import RuleUse
from customers.models import Customer, Segment, SegmentMember, SegmentVersion
from customers.selectors.segments import preview
from customers.selectors.segments.references import SegmentRuleInvalid
from customers.services.segments import versions
from loancrm.kernel.access import PermissionRefused, user_actor
from loancrm.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


def rule(field, operator="=", value=None):
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


SHANGHAI = rule("city", "=", "上海")


@pytest.fixture
def people(now):
    return [
        Customer.objects.create(city=city, created_at=now, updated_at=now, external_id=str(n))
        for n, city in enumerate(("上海", "上海", "北京"))
    ]


@pytest.fixture
def create(actor, now):
    def create_one(slug, data=SHANGHAI):
        return versions.create_segment(
            actor=actor, slug=slug, name=f"Segment {slug}", rule=data, now=now
        )

    return create_one


def members_of(segment, now):
    return sorted(versions.audience_of(segment, now=now).values_list("external_id", flat=True))


def test_a_new_segment_has_its_first_version_its_count_and_an_audit_entry(people, create, now):
    segment = create("shanghai")
    version = SegmentVersion.objects.get()
    assert (version.number, version.segment, segment.current_version) == (1, segment, version)
    assert version.rule == {"version": 1, **SHANGHAI}
    assert (segment.last_count, segment.last_counted_at) == (2, now)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id) == ("segment.create", str(segment.pk))
    assert entry.facts == {"slug": "shanghai", "version": 1, "count": 2}
    assert members_of(segment, now) == ["0", "1"]


def test_of_two_of_one_name_at_the_same_moment_the_second_is_told(create, monkeypatch):
    create("shanghai")
    # Both looked before either wrote; the database decides.
    monkeypatch.setattr(versions, "_refuse_taken", lambda _slug: None)
    with pytest.raises(versions.SegmentNameTaken):
        create("shanghai")
    assert Segment.objects.count() == 1


def test_a_rule_with_problems_creates_nothing_and_names_them_all(create):
    data = {
        "combinator": "and",
        "rules": [
            {"field": "age", "operator": ">", "value": "old"},
            {"field": "nothing", "operator": "=", "value": 1},
        ],
    }
    with pytest.raises(SegmentRuleInvalid) as refused:
        create("wrong", data)
    assert [(item["path"], item["code"]) for item in refused.value.facts["problems"]] == [
        ("rules[0].value", "not_a_number"),
        ("rules[1].field", "unknown_field"),
    ]
    assert refused.value.as_json("zh-hans")[0]["message"] == "请填写数字"
    assert not Segment.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_slug_is_taken_once(create):
    create("shanghai")
    with pytest.raises(versions.SegmentNameTaken):
        create("shanghai", rule("city", "=", "北京"))
    assert SegmentVersion.objects.count() == 1


def test_nobody_creates_publishes_or_deletes_without_permission(create, now):
    segment = create("shanghai")
    clerk = user_actor(User.objects.create_user("clerk"))
    with pytest.raises(PermissionRefused):
        versions.create_segment(actor=clerk, slug="x", name="x", rule=SHANGHAI, now=now)
    with pytest.raises(PermissionRefused):
        versions.publish_version(actor=clerk, segment=segment, rule=rule("age", ">", 3), now=now)
    with pytest.raises(PermissionRefused):
        versions.delete_segment(actor=clerk, segment=segment, now=now)
    with pytest.raises(PermissionRefused):
        versions.replace_members(
            actor=clerk, slug="y", name="y", customer_ids=[], source="t", now=now
        )
    assert Segment.objects.count() == 1
    assert SegmentVersion.objects.count() == 1


def test_a_user_with_the_permission_becomes_owner_and_author(now):
    user = User.objects.create_user("marketer")
    user.user_permissions.add(Permission.objects.get(codename="add_segment"))
    segment = versions.create_segment(
        actor=user_actor(User.objects.get(pk=user.pk)),
        slug="x",
        name="x",
        rule=SHANGHAI,
        now=now,
    )
    assert segment.owner == user
    assert segment.current_version.author == user


def test_publishing_makes_a_new_version_and_keeps_the_old_one(people, create, actor, now):
    segment = create("city")
    first = segment.current_version
    second = versions.publish_version(
        actor=actor, segment=segment, rule=rule("city", "=", "北京"), now=now
    )
    assert (first.number, second.number) == (1, 2)
    assert SegmentVersion.objects.get(pk=first.pk).rule == {"version": 1, **SHANGHAI}
    assert segment.current_version == second
    assert segment.last_count == 1
    assert members_of(segment, now) == ["2"]


def test_publishing_the_same_rule_again_makes_no_version(create, actor, now):
    segment = create("city")
    same = {**SHANGHAI, "id": "from-the-screen"}
    again = versions.publish_version(actor=actor, segment=segment, rule=same, now=now)
    assert again.number == 1
    assert SegmentVersion.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_c5_segments_may_refer_to_segments_but_never_in_a_circle(people, create, actor, now):
    create("a")
    create("b", rule("segment", "=", "a"))
    outside = create("c", rule("segment", "!=", "b"))
    assert members_of(outside, now) == ["2"]
    with pytest.raises(SegmentRuleInvalid) as refused:
        versions.publish_version(
            actor=actor,
            segment=Segment.objects.get(slug="a"),
            rule=rule("segment", "=", "c"),
            now=now,
        )
    assert [item["code"] for item in refused.value.facts["problems"]] == ["segment_cycle"]
    # By its name, as people know it.
    assert "The segment “Segment a” leads back" in refused.value.problems[0].in_words("en")
    with pytest.raises(SegmentRuleInvalid):
        versions.publish_version(
            actor=actor,
            segment=Segment.objects.get(slug="a"),
            rule=rule("segment", "=", "a"),
            now=now,
        )
    assert Segment.objects.get(slug="a").current_version.number == 1


def test_references_that_multiply_beyond_reason_are_refused(create):
    create("s0")
    for level in range(1, 4):
        condition = {"field": "segment", "operator": "=", "value": f"s{level - 1}"}
        data = {"combinator": "or", "rules": [condition] * 12}
        if level < 3:
            create(f"s{level}", data)
            continue
        with pytest.raises(SegmentRuleInvalid) as refused:
            create(f"s{level}", data)
        assert refused.value.facts["problems"][0]["code"] == "too_many_rules"


def test_references_go_through_three_segments_at_most(create, now):
    create("s0")
    for level in range(1, 4):
        create(f"s{level}", rule("segment", "=", f"s{level - 1}"))
    with pytest.raises(SegmentRuleInvalid) as refused:
        create("s4", rule("segment", "=", "s3"))
    assert refused.value.facts["problems"][0]["code"] == "references_too_deep"
    with pytest.raises(SegmentRuleInvalid):
        versions.audience_queryset(rule("segment", "=", "s3"), now=now)


def test_a_stored_rule_whose_field_is_gone_is_refused_where_it_is_referred_to(create, now):
    segment = create("a")
    SegmentVersion.objects.filter(pk=segment.current_version.pk).update(
        rule=rule("attribute.gone", "=", 1)
    )
    with pytest.raises(SegmentRuleInvalid) as refused:
        versions.audience_queryset(rule("segment", "=", "a"), now=now)
    assert refused.value.facts["problems"][0]["path"] == "segment[a].rules[0].field"
    assert refused.value.problems[0].in_words("en") == (
        f"Segment “{segment.name}”, Condition 1: There is no field “attribute.gone”"
    )


def test_a_rule_for_credit_offers_may_not_reach_protected_fields_through_a_segment(create, now):
    create("women", rule("gender", "=", "female"))
    with pytest.raises(SegmentRuleInvalid) as refused:
        versions.audience_queryset(rule("segment", "=", "women"), now=now, use=RuleUse.CREDIT_OFFER)
    assert refused.value.facts["problems"][0]["code"] == "field_not_allowed"


def test_c5_a_segment_that_another_uses_cannot_be_deleted(create, actor, now):
    used = create("used")
    user = create("user", rule("segment", "=", "used"))
    with pytest.raises(versions.SegmentInUse) as refused:
        versions.delete_segment(actor=actor, segment=used, now=now)
    assert refused.value.facts["users"] == ["user"]
    assert "“Segment used”" in refused.value.message
    assert refused.value.message.endswith("Segment user")
    assert Segment.objects.filter(slug="used").exists()
    versions.delete_segment(actor=actor, segment=user, now=now)
    versions.delete_segment(actor=actor, segment=used, now=now)
    assert not Segment.objects.exists()
    assert AuditEntry.objects.filter(action="segment.delete").count() == 2


def test_a_list_has_exactly_the_given_members_and_keeps_their_stays(people, actor, now):
    def replace(ids, at):
        return versions.replace_members(
            actor=actor, slug="list", name="名单", customer_ids=ids, source="file:x", now=at
        )

    first, second, third = (person.pk for person in people)
    segment = replace([first, second, second], now)
    assert segment.last_count == 2
    assert members_of(segment, now) == ["0", "1"]
    later = now.replace(hour=3)
    segment = replace([second, third], later)
    assert members_of(segment, later) == ["1", "2"]
    stays = SegmentMember.objects.order_by("customer_id").values_list(
        "customer_id", "entered_at", "left_at", "source"
    )
    assert list(stays) == [
        (first, now, later, "file:x"),
        (second, now, None, "file:x"),
        (third, later, None, "file:x"),
    ]
    replace([second, third], later)
    assert SegmentMember.objects.count() == 3


def test_a_list_takes_no_rule_and_a_rule_no_members(create, actor, now):
    create("ruled")
    with pytest.raises(versions.SegmentWrongKind):
        versions.replace_members(
            actor=actor, slug="ruled", name="x", customer_ids=[], source="t", now=now
        )
    listed = versions.replace_members(
        actor=actor, slug="list", name="x", customer_ids=[], source="t", now=now
    )
    with pytest.raises(versions.SegmentWrongKind):
        versions.publish_version(actor=actor, segment=listed, rule=SHANGHAI, now=now)


def test_a_recount_follows_the_data(people, create, actor, now):
    segment = create("city")
    Customer.objects.filter(city="北京").update(city="上海")
    assert versions.recount(actor=actor, segment=segment, now=now) == 3
    assert Segment.objects.get().last_count == 3


def test_a_segment_too_slow_to_count_is_published_without_a_count(create, monkeypatch):
    def give_up(*_args, **_kwargs):
        raise preview.PreviewTooSlow("slow")

    monkeypatch.setattr(preview, "count", give_up)
    assert create("slow").last_count is None


def test_a_segment_without_a_rule_has_nobody(people, now):
    empty = Segment.objects.create(slug="draft", name="x", created_at=now)
    assert members_of(empty, now) == []
    assert versions.rule_of(empty) is None
