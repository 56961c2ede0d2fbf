"""What the builder's form asks to be stored, and what it shows to who saves second."""

from typing import Any

from django.http import HttpRequest
from django.utils.text import slugify
from django.utils.translation import gettext as _

from customers.admin.segments import texts
from customers.models import Segment
from customers.services.segments import editing, versions
from loancrm import admin_pages, stale_forms
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError


def save(request: HttpRequest, segment: Segment | None, values: dict[str, Any]) -> Segment:
    """Create the segment, or publish its rule as a new version; count its people again.

    Raises:
        LoanCrmError: The name is missing, the rule is refused, or somebody has saved meanwhile.
    """
    actor, now = admin_pages.actor_of(request), clock.now()
    if not values["name"]:
        raise LoanCrmError(_("The segment needs a name."))
    if segment is None:
        saved = versions.create_segment(
            slug=slugify(values["name"]) or f"segment-{now:%Y%m%d-%H%M%S-%f}",
            name=values["name"],
            description=values["description"],
            rule=values["rule"],
            actor=actor,
            now=now,
        )
    else:
        saved = editing.save_segment(
            segment=segment,
            name=values["name"],
            description=values["description"],
            rule=values["rule"],
            seen=stale_forms.posted(request),
            actor=actor,
            now=now,
        )
    versions.recount(segment=saved, actor=actor, now=now)
    return saved


def stale_context(
    request: HttpRequest,
    segment: Segment | None,
    values: dict[str, Any],
    error: LoanCrmError | None,
) -> dict[str, Any]:
    """Return what the form carries, and what is stored where a save was refused as stale."""
    if segment is None:
        return {}
    segment = Segment.objects.select_related("current_version").get(pk=segment.pk)
    version = segment.current_version
    differences = [
        (label, now or "–")
        for label, now, then in (
            (_("Name"), segment.name, values["name"]),
            (_("Note for colleagues"), segment.description, values["description"]),
        )
        if now != then
    ]
    if version is not None and version.rule != values["rule"]:
        differences.append((_("Rule in words"), texts.words(version)))
    return stale_forms.context(
        request, editing.stored(segment), error=error, differences=differences
    )
