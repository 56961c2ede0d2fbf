"""What the segment pages say: versions and what changed, stored members, addresses."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.domain.fields.catalogue import Catalogue
from customers.domain.segments import diff
from customers.domain.segments.ast import Rule
from customers.domain.segments.explain import explain
from customers.domain.segments.states import BuildState
from customers.labels import problems as problem_labels
from customers.models import Segment, SegmentVersion
from customers.selectors.segments import catalogue as segment_catalogue
from customers.selectors.segments import references
from customers.selectors.segments.references import SegmentRuleInvalid
from loancrm.kernel import clock
from loancrm.kernel.errors import LoanCrmError

VERSIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a rule, in words, with what changed since the one before it."""

    version: SegmentVersion
    words: str
    changes: tuple[str, ...] = ()


def versions(segment: Segment) -> list[VersionRow]:
    """Return the newest versions, the newest first."""
    catalogue = segment_catalogue.load_catalogue()
    language = get_language() or "en"
    stored = segment.versions.select_related("author").order_by("-number")[: VERSIONS_SHOWN + 1]
    read = [(version, *_read(version, catalogue)) for version in stored]
    rows = []
    for position, (version, rule, problem) in enumerate(read[:VERSIONS_SHOWN]):
        words = explain(rule, catalogue=catalogue, language=language) if rule else problem
        before = read[position + 1][1] if position + 1 < len(read) else None
        changes = diff.compare(before, rule) if before and rule else []
        told = (
            diff.describe_change(item, catalogue=catalogue, language=language) for item in changes
        )
        rows.append(VersionRow(version, words, tuple(told)))
    return rows


def words(version: SegmentVersion) -> str:
    """Return one version's rule in words, or why it can no longer be read."""
    catalogue = segment_catalogue.load_catalogue()
    rule, problem = _read(version, catalogue)
    if rule is None:
        return problem
    return explain(rule, catalogue=catalogue, language=get_language() or "en")


def _read(version: SegmentVersion, catalogue: Catalogue) -> tuple[Rule | None, str]:
    try:
        rule, _scope = references.load_rule(
            version.rule, now=clock.now(), zone=clock.company_zone(), catalogue=catalogue
        )
    except SegmentRuleInvalid as error:
        return None, error.message
    return rule, ""


def stored_members(segment: Segment) -> str:
    """Return how many members are kept, and whether their last build failed."""
    build = getattr(segment, "build", None)
    if build is None or build.state == BuildState.WAITING:
        return "–"
    if build.state == BuildState.FAILED:
        return _("%(count)s (last build failed: %(why)s)") % {
            "count": f"{build.member_count:,}",
            "why": problem_labels.build_problem(build.error_code),
        }
    return f"{build.member_count:,}"


def overlap_url(chosen: Sequence[Segment]) -> str:
    """Return the address of the page that compares two segments.

    Raises:
        LoanCrmError: Not exactly two segments were chosen.
    """
    if len(chosen) != 2:
        raise LoanCrmError(_("Choose exactly two segments."))
    first, second = chosen
    return f"{reverse('admin:customers_segment_overlap')}?first={first.pk}&second={second.pk}"
