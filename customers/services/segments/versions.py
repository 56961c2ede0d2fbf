"""Segments: create, publish a version, keep lists of members, delete; the audience of a rule."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError, QuerySet

from customers.domain.fields.catalogue import RuleUse
from customers.domain.segments.ast import AllOf, Rule, SegmentCondition
from customers.domain.segments.parse import parse_rule
from customers.domain.segments.scope import RuleScope
from customers.domain.segments.states import SegmentKind
from customers.domain.segments.write import to_json
from customers.models import Customer, Segment, SegmentMember, SegmentVersion
from customers.selectors.segments import preview, query, references
from customers.services.segments import members, refresh
from loancrm.kernel import access, clock
from loancrm.kernel.access import Actor
from loancrm.kernel.acting import acting
from loancrm.kernel.database import bulk
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.words.phrases import gettext as _

ADD = "customers.add_segment"
CHANGE = "customers.change_segment"
DELETE = "customers.delete_segment"


class SegmentNameTaken(LoanCrmError):
    """There is a segment of this slug already."""

    code = "segment_name_taken"


class SegmentInUse(LoanCrmError):
    """The segment cannot be deleted: campaigns or other segments use it."""

    code = "segment_in_use"


class SegmentWrongKind(LoanCrmError):
    """A rule was given for a list of members, or members for a rule."""

    code = "segment_wrong_kind"


def create_segment(
    *,
    actor: Actor,
    slug: str,
    name: str,
    rule: Any,
    now: datetime,
    description: str = "",
    use: RuleUse = RuleUse.MARKETING,
) -> Segment:
    """Create a dynamic segment with the first version of its rule, counted.

    Args:
        rule: Decoded rule JSON in react-querybuilder's shape.

    Raises:
        PermissionRefused: The actor may not add segments.
        SegmentNameTaken: The slug is in use.
        SegmentRuleInvalid: With every problem of the rule.
    """
    act = acting(actor, ADD, now=now)
    tree, scope = _read(rule, now=now, use=use, slug=slug)
    with act:
        _refuse_taken(slug)
        segment = _insert(
            slug=slug,
            name=name,
            description=description,
            kind=SegmentKind.DYNAMIC,
            owner=actor.user,
            created_at=now,
        )
        version = _write_version(segment, tree, scope, actor=actor)
        facts = {"slug": slug, "version": version.number, "count": segment.last_count}
        act.record("segment.create", on=segment, facts=facts)
    return segment


def publish_version(
    *,
    actor: Actor,
    segment: Segment,
    rule: Any,
    now: datetime,
    use: RuleUse = RuleUse.MARKETING,
) -> SegmentVersion:
    """Make a rule the segment's current one; the same rule again makes no new version.

    Audiences that were frozen earlier stay as they are.

    Raises:
        PermissionRefused: The actor may not change this segment.
        SegmentRuleInvalid: With every problem of the rule, cycles included.
        SegmentWrongKind: The segment is a list of members.
    """
    act = acting(actor, CHANGE, on=segment, now=now)
    _refuse_kind(segment, SegmentKind.DYNAMIC)
    tree, scope = _read(rule, now=now, use=use, slug=segment.slug)
    with act:
        locked = Segment.objects.select_for_update().get(pk=segment.pk)
        current = locked.current_version
        if current is not None and current.rule == to_json(tree):
            act.unchanged()
            return current
        version = _write_version(locked, tree, scope, actor=actor)
        facts = {"slug": locked.slug, "version": version.number, "count": locked.last_count}
        act.record("segment.publish", facts=facts)
        _mark_due(locked.slug, now)
    segment.refresh_from_db()
    return version


def edit_segment(
    *, actor: Actor, segment: Segment, name: str, description: str, now: datetime
) -> Segment:
    """Change how a segment is called and described.

    Raises:
        PermissionRefused: The actor may not change this segment.
    """
    with acting(actor, CHANGE, on=segment, now=now) as act:
        segment.name = name
        segment.description = description
        segment.save(update_fields=["name", "description"])
        act.record("segment.edit", facts={"slug": segment.slug})
    return segment


def delete_segment(*, actor: Actor, segment: Segment, now: datetime) -> None:
    """Delete a segment with its versions and members.

    Raises:
        PermissionRefused: The actor may not delete this segment.
        SegmentInUse: A campaign or another segment's current rule uses it; facts name them.
    """
    act = acting(actor, DELETE, on=segment, now=now)
    users = segments_referring_to(segment.slug)
    if users:
        named = Segment.objects.filter(slug__in=users).order_by("slug")
        raise _in_use(segment, users, list(named.values_list("name", flat=True)))
    with act:
        Segment.objects.filter(pk=segment.pk).update(current_version=None)
        try:
            Segment.objects.get(pk=segment.pk).delete()
        except ProtectedError as error:
            users = sorted(map(str, error.protected_objects))
            names = sorted(getattr(row, "name", str(row)) for row in error.protected_objects)
            raise _in_use(segment, users, names) from error
        act.record("segment.delete", facts={"slug": segment.slug})


def recount(*, actor: Actor, segment: Segment, now: datetime) -> int:
    """Count the segment's members again and keep the number for lists.

    Raises:
        PermissionRefused: The actor may not see this segment.
        SegmentRuleInvalid: The stored rule no longer fits the catalogue.
    """
    access.require(actor, "customers.view_segment", segment)
    with transaction.atomic():
        bulk.read_widely()
        total = audience_of(segment, now=now).count()
    Segment.objects.filter(pk=segment.pk).update(last_count=total, last_counted_at=now)
    segment.last_count, segment.last_counted_at = total, now
    return total


def replace_members(
    *,
    actor: Actor,
    slug: str,
    name: str,
    customer_ids: Iterable[int],
    source: str,
    now: datetime,
) -> Segment:
    """Make exactly these customers the open members of a list, creating the list when new.

    Stays end and begin; what was is kept. The list gets the rule "is a member of itself", so that
    a campaign uses it like any other segment.

    Args:
        customer_ids: Customers that exist; repeats do no harm.
        source: What made the list, such as a model version or a file.

    Raises:
        PermissionRefused: The actor may not change this segment, or not add one.
        SegmentWrongKind: The segment has a rule of its own.
    """
    segment = Segment.objects.filter(slug=slug).first()
    with acting(actor, ADD if segment is None else CHANGE, on=segment, now=now) as act:
        if segment is None:
            segment = _create_list(slug, name, now)
        _refuse_kind(segment, SegmentKind.STATIC)
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        wanted = set(customer_ids)
        open_stays = SegmentMember.objects.filter(segment=segment, left_at__isnull=True)
        present = set(open_stays.values_list("customer_id", flat=True))
        members.end_stays(
            segment=segment, customer_ids=sorted(present - wanted), source=source, now=now
        )
        members.begin_stays(
            segment=segment, customer_ids=sorted(wanted - present), source=source, now=now
        )
        segment.last_count, segment.last_counted_at = len(wanted), now
        segment.save(update_fields=["last_count", "last_counted_at"])
        facts = {
            "slug": slug,
            "source": source,
            "entered": len(wanted - present),
            "left": len(present - wanted),
        }
        act.record("segment.replace_members", on=segment, facts=facts)
        if wanted != present:
            _mark_due(slug, now)
    return segment


def freeze_segment(
    *, actor: Actor, segment: Segment, slug: str, name: str, now: datetime
) -> Segment:
    """Make a list of exactly those who are in a segment now; later changes do not touch it.

    Raises:
        PermissionRefused: The actor may not add segments, or not see this one.
        SegmentNameTaken: The slug is in use.
        SegmentRuleInvalid: The stored rule no longer fits the catalogue.
    """
    access.require(actor, "customers.view_segment", segment)
    access.require(actor, ADD)
    _refuse_taken(slug)
    version = segment.current_version.number if segment.current_version else 0
    keys = audience_of(segment, now=now).values_list("pk", flat=True)
    return replace_members(
        actor=actor,
        slug=slug,
        name=name,
        customer_ids=keys.iterator(chunk_size=5000),
        source=f"frozen:{segment.pk}:{version}",
        now=now,
    )


def rule_of(segment: Segment) -> Any:
    """Return the JSON of the segment's current rule; None while it has none."""
    return segment.current_version.rule if segment.current_version else None


def audience_queryset(
    rule: Any, *, now: datetime, use: RuleUse = RuleUse.MARKETING
) -> QuerySet[Customer]:
    """Return the customers whom a rule's JSON selects now, for one set-based statement.

    Unordered, each customer once, those merged away left out. A list's rule reads its members.

    Raises:
        SegmentRuleInvalid: With every problem of the rule.
    """
    tree, scope = _read(rule, now=now, use=use, slug=None)
    return query.customers_matching(tree, scope)


def audience_of(
    segment: Segment, *, now: datetime, use: RuleUse = RuleUse.MARKETING
) -> QuerySet[Customer]:
    """Return the customers who are in a segment now.

    Raises:
        SegmentRuleInvalid: The stored rule no longer fits the catalogue.
    """
    rule = rule_of(segment)
    if rule is None:
        return Customer.objects.none()
    return audience_queryset(rule, now=now, use=use)


def segments_referring_to(slug: str) -> list[str]:
    """Return the other segments whose current rule names this one, or asks for its events."""
    versions = SegmentVersion.objects.filter(
        pk__in=Segment.objects.exclude(slug=slug).values("current_version")
    ).values_list("segment__slug", "rule")
    users = []
    for user, data in versions.iterator():
        rule = parse_rule(data).rule
        if rule is not None and slug in set(references.named_slugs(rule)):
            users.append(user)
    return sorted(users)


def _read(rule: Any, *, now: datetime, use: RuleUse, slug: str | None) -> tuple[Rule, RuleScope]:
    return references.load_rule(rule, now=now, zone=clock.company_zone(), use=use, slug=slug)


def _write_version(
    segment: Segment, tree: Rule, scope: RuleScope, *, actor: Actor
) -> SegmentVersion:
    last = segment.versions.aggregate(last=Max("number"))["last"] or 0
    version = SegmentVersion.objects.create(
        segment=segment,
        number=last + 1,
        rule=to_json(tree),
        author=actor.user,
        created_at=scope.now,
    )
    segment.current_version = version
    try:
        segment.last_count = preview.count(tree, scope)
    except preview.PreviewTooSlow:
        segment.last_count = None
    segment.last_counted_at = scope.now
    segment.save(update_fields=["current_version", "last_count", "last_counted_at"])
    return version


def _create_list(slug: str, name: str, now: datetime) -> Segment:
    segment = _insert(slug=slug, name=name, kind=SegmentKind.STATIC, created_at=now, last_count=0)
    rule = to_json(AllOf((SegmentCondition(slug),)))
    version = SegmentVersion.objects.create(segment=segment, number=1, rule=rule, created_at=now)
    segment.current_version = version
    segment.save(update_fields=["current_version"])
    return segment


def _mark_due(slug: str, now: datetime) -> None:
    """Let the stored members of a segment, and of those that refer to it, be built anew."""
    known: set[str] = set()
    wave = {slug}
    while wave:
        known |= wave
        wave = {user for name in wave for user in segments_referring_to(name)} - known
    refresh.mark_due(segment_slugs=known, now=now)


def _insert(*, slug: str, **columns: Any) -> Segment:
    """Add the row of a segment; the database decides which of two at the same moment is first."""
    try:
        with transaction.atomic():
            return Segment.objects.create(slug=slug, **columns)
    except IntegrityError as error:
        raise _taken(slug) from error


def _refuse_taken(slug: str) -> None:
    if Segment.objects.filter(slug=slug).exists():
        raise _taken(slug)


def _taken(slug: str) -> SegmentNameTaken:
    return SegmentNameTaken(_("There is a segment “%(slug)s” already.") % {"slug": slug}, slug=slug)


def _refuse_kind(segment: Segment, kind: SegmentKind) -> None:
    if segment.kind != kind:
        raise SegmentWrongKind(
            _("The segment “%(slug)s” is not of the kind that this changes.")
            % {"slug": segment.slug},
            slug=segment.slug,
            kind=segment.kind,
        )


def _in_use(segment: Segment, users: Sequence[str], names: Sequence[str]) -> SegmentInUse:
    return SegmentInUse(
        _("The segment “%(name)s” is in use by: %(users)s")
        % {"name": segment.name, "users": ", ".join(names)},
        slug=segment.slug,
        users=list(users),
    )
