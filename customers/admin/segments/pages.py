"""Segments: the list with counts, and the page with the visual builder."""

import json
import time
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers import labels
from customers.admin.segments import examples, saving, texts, views
from customers.admin.segments.builder_texts import builder_texts
from customers.domain.segments.parse import parse_text
from customers.domain.segments.problems import RuleRefused
from customers.models import Segment
from customers.selectors.segments import catalogue, preview, references
from customers.selectors.segments.preview import SegmentPreview
from customers.selectors.segments.references import SegmentRuleInvalid
from customers.services.segments import refresh, versions
from loancrm import admin_pages
from loancrm.admin_site import object_url
from loancrm.kernel import clock
from loancrm.kernel.admin.sharing import SharedRowsAdmin
from loancrm.kernel.errors import LoanCrmError
from loancrm.kernel.security import grants

SAVE_PERMISSION = "customers.change_segment"
EVERYBODY: dict[str, Any] = {"combinator": "and", "rules": []}


@admin.register(Segment)
class SegmentAdmin(SharedRowsAdmin):
    """A rule is only ever stored as a new version."""

    list_display = ("title", "slug", "people", "counted", "stored", "version", "made_by")
    list_display_links = ("title",)
    search_fields = ("name", "slug", "description")
    ordering = ("name", "id")
    empty_template = "customers/segment_empty.html"
    shareable = {
        "customers.view_segment": gettext_lazy("see and count it"),
        "customers.change_segment": gettext_lazy("change it"),
    }
    actions = ("count_again", "build_members", "freeze", "show_overlap", "delete_segments")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change segments may also make them."""
        return bool(request.user.has_perm("customers.add_segment"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the list's actions that change segments are open."""
        return bool(request.user.has_perm(SAVE_PERMISSION))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        """Read versions and owners with the segments that the reader may see."""
        rows = Segment.objects.select_related("current_version", "owner", "build")
        return self.visible(request, rows)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, segment: Segment) -> str:
        """Return the segment's name."""
        return segment.name

    @admin.display(description=gettext_lazy("people"), ordering="last_count")
    def people(self, segment: Segment) -> str:
        """Return the last count."""
        return f"{segment.last_count:,}" if segment.last_count is not None else "–"

    @admin.display(description=gettext_lazy("counted at"), ordering="last_counted_at")
    def counted(self, segment: Segment) -> Any:
        """Return when it was last counted."""
        return segment.last_counted_at

    @admin.display(description=gettext_lazy("stored members"))
    def stored(self, segment: Segment) -> str:
        """Return how many members are kept, and whether their last build failed."""
        return texts.stored_members(segment)

    @admin.display(description=gettext_lazy("version"))
    def version(self, segment: Segment) -> str:
        """Return the number of the version in force."""
        return str(segment.current_version.number) if segment.current_version else "–"

    @admin.display(description=gettext_lazy("owner"), ordering="owner")
    def made_by(self, segment: Segment) -> str:
        """Return who made it."""
        return segment.owner.get_username() if segment.owner else "–"

    @admin.action(description=gettext_lazy("Count again"), permissions=["view"])
    def count_again(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Count the people of the selected segments now."""
        for segment in queryset:
            done = _("%(name)s is counted.") % {"name": segment.name}
            with admin_pages.attempt(request, done):
                versions.recount(
                    segment=segment, actor=admin_pages.actor_of(request), now=clock.now()
                )

    @admin.action(description=gettext_lazy("Build stored members now"), permissions=["change"])
    def build_members(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Bring the stored members of the selected segments up to date."""
        for segment in queryset:
            done = _("The members of %(name)s are up to date.") % {"name": segment.name}
            with admin_pages.attempt(request, done):
                refresh.refresh_segment(
                    segment=segment, actor=admin_pages.actor_of(request), now=clock.now()
                )

    @admin.action(description=gettext_lazy("Freeze as a list"), permissions=["change"])
    def freeze(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Make a list of who is in each selected segment now."""
        now = clock.now()
        stamp = f"{now.astimezone(clock.company_zone()):%Y%m%d-%H%M%S}"
        for segment in queryset:
            done = _("The people of %(name)s are kept as a list.") % {"name": segment.name}
            with admin_pages.attempt(request, done):
                versions.freeze_segment(
                    actor=admin_pages.actor_of(request),
                    segment=segment,
                    slug=f"{segment.slug[:60]}-{stamp}",
                    name=f"{segment.name[:100]} {stamp}",
                    now=now,
                )

    @admin.action(description=gettext_lazy("Overlap of two"), permissions=["view"])
    def show_overlap(
        self, request: HttpRequest, queryset: QuerySet[Segment]
    ) -> HttpResponse | None:
        """Show how many people two selected segments share."""
        with admin_pages.attempt(request, ""):
            return HttpResponseRedirect(texts.overlap_url(list(queryset)))
        return None

    @admin.action(description=gettext_lazy("Delete"), permissions=["change"])
    def delete_segments(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Delete the selected segments; one in use is refused, with the names of its users."""
        for segment in queryset:
            done = _("%(name)s is deleted.") % {"name": segment.name}
            with admin_pages.attempt(request, done):
                versions.delete_segment(
                    segment=segment, actor=admin_pages.actor_of(request), now=clock.now()
                )

    def get_urls(self) -> list[URLPattern]:
        """Add the live count with its stop, suggested values and the page of an overlap."""
        own = [
            path(
                "preview/",
                self.admin_site.admin_view(self.preview_view),
                name="customers_segment_preview",
            ),
            path(
                "preview/stop/",
                self.admin_site.admin_view(require_POST(views.cancel)),
                name="customers_segment_stop",
            ),
            path(
                "values/",
                self.admin_site.admin_view(views.suggest),
                name="customers_segment_values",
            ),
            path(
                "overlap/",
                self.admin_site.admin_view(partial(views.overlap, model_admin=self)),
                name="customers_segment_overlap",
            ),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a new segment."""
        admin_pages.require(request, "customers.add_segment")
        return self._builder_page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a segment in the builder; saving publishes a version."""
        segment = admin_pages.row_of(Segment.objects.select_related("current_version"), object_id)
        admin_pages.require(request, "customers.view_segment", segment)
        return self._builder_page(request, segment)

    def _builder_page(self, request: HttpRequest, segment: Segment | None) -> HttpResponse:
        values = _values(request, segment)
        problems: list[dict[str, str]] = []
        error: LoanCrmError | None = None
        if request.method == "POST":
            admin_pages.require(request, SAVE_PERMISSION, segment)
            with admin_pages.attempt(request, _("The segment is saved.")) as outcome:
                values["rule"] = _posted_rule(request.POST.get("rule", ""))
                segment = saving.save(request, segment, values)
            if outcome.is_done and segment is not None:
                return HttpResponseRedirect(object_url(segment))
            error = outcome.error
            if isinstance(error, SegmentRuleInvalid):
                problems = error.as_shown(get_language() or "en")
        return admin_pages.page(
            request,
            "customers/segment.html",
            title=segment.name if segment else _("New segment"),
            model_admin=self,
            segment=segment,
            sharing_url=_sharing_url(request, segment),
            values=values,
            rule_json=json.dumps(values["rule"], ensure_ascii=False),
            catalogue=_catalogue(),
            problems=problems,
            versions=texts.versions(segment) if segment else [],
            may_save=request.user.has_perm(SAVE_PERMISSION)
            or (segment is not None and request.user.has_perm(SAVE_PERMISSION, segment)),
            campaign_url=_campaign_url(segment) if segment else "",
            **saving.stale_context(request, segment, values, error),
        )

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Return count, masked sample and words of a rule that is not saved yet."""
        admin_pages.require(request, "customers.view_segment")
        return require_POST(_preview)(request)


def _sharing_url(request: HttpRequest, segment: Segment | None) -> str:
    """Return where operators share the segment; empty for everybody else."""
    if segment is None or not request.user.has_perm(grants.SHARE):
        return ""
    return object_url(segment, "sharing")


def _values(request: HttpRequest, segment: Segment | None) -> dict[str, Any]:
    """Return name, description and rule, as posted or as stored."""
    if request.method == "POST":
        return {
            "name": request.POST.get("name", "").strip(),
            "description": request.POST.get("description", "").strip(),
            "rule": EVERYBODY,
        }
    is_copy = segment is None
    segment = segment or _copied(request)
    if segment is None:
        return {"name": "", "description": "", "rule": EVERYBODY}
    version = segment.current_version
    return {
        "name": _("Copy of %(name)s") % {"name": segment.name} if is_copy else segment.name,
        "description": segment.description,
        "rule": version.rule if version else EVERYBODY,
    }


def _copied(request: HttpRequest) -> Segment | None:
    """Return the segment that a new one begins as a copy of."""
    number = request.GET.get("copy", "")
    if not admin_pages.is_key(number):
        return None
    found = Segment.objects.select_related("current_version").filter(pk=number).first()
    if found is not None:
        admin_pages.require(request, "customers.view_segment", found)
    return found


def _posted_rule(text: str) -> Any:
    """Return the rule of a form; without any it is everybody, as the builder shows it.

    Raises:
        SegmentRuleInvalid: It is not JSON, too long or nested beyond reason.
    """
    if not text.strip():
        return EVERYBODY
    try:
        return parse_text(text)
    except RuleRefused as refusal:
        raise SegmentRuleInvalid(refusal.problems) from refusal


def _preview(request: HttpRequest) -> HttpResponse:
    started = time.perf_counter()
    answer: dict[str, Any] = {
        "count": 0, "total": 0, "seconds": 0.0, "words": "", "reachable": [],
        "sample": {"columns": [], "rows": []}, "waterfall": [], "problems": [],
    }  # fmt: skip
    language = get_language() or "en"
    try:
        asked = parse_text(request.body.decode("utf-8", "replace"))
        if not isinstance(asked, dict):
            return JsonResponse(answer, status=400)
        rule, scope = references.load_rule(
            asked.get("rule"), now=clock.now(), zone=clock.company_zone()
        )
        ticket = preview.ticket(str(request.user.pk), request.headers.get("X-Ticket", ""))
        found = preview.preview(rule, scope, language=language, is_detailed=True, ticket=ticket)
    except SegmentRuleInvalid as error:
        answer["problems"] = error.as_shown(language)
        return JsonResponse(answer, status=422)
    except LoanCrmError as error:
        answer["problems"] = [{"path": "", "message": error.message, "told": error.message}]
        return JsonResponse(answer, status=422)
    except RuleRefused as refusal:
        answer["problems"] = [problem.as_shown(language) for problem in refusal.problems]
        return JsonResponse(answer, status=400)
    answer |= _as_json(found)
    answer["seconds"] = round(time.perf_counter() - started, 3)
    return JsonResponse(answer)


def _as_json(found: SegmentPreview) -> dict[str, Any]:
    return {
        "count": found.count,
        "total": found.waterfall[0].left_count if found.waterfall else 0,
        "words": found.sentence,
        "waterfall": [
            {"sentence": step.sentence, "left": step.left_count, "lost": step.lost_count}
            for step in found.waterfall
        ],
        "reachable": [
            {"label": labels.CHANNELS.label(channel), "count": count}
            for channel, count in (found.reachable or {}).items()
        ],
        "sample": {
            "columns": [_("No."), _("Full name"), _("Gender"), _("Age"), _("City"), _("Stage")],
            "rows": [
                [
                    f"#{person.customer_id}",
                    person.masked_name or "–",
                    labels.GENDERS.label(person.gender),
                    str(person.age_years) if person.age_years is not None else "–",
                    person.city or "–",
                    labels.STAGES.label(person.lifecycle_stage),
                ]
                for person in found.sample
            ],
        },
    }


def _catalogue() -> dict[str, Any]:
    language = get_language() or "en"
    return {
        **catalogue.catalogue_for_builder(language=language),
        "language": language,
        "texts": builder_texts(),
        "previewUrl": reverse("admin:customers_segment_preview"),
        "stopUrl": reverse("admin:customers_segment_stop"),
        "valuesUrl": reverse("admin:customers_segment_values"),
        "examples": examples.examples(),
    }


def _campaign_url(segment: Segment) -> str:
    return f"{reverse('admin:campaigns_campaign_add')}?segment={segment.pk}"
