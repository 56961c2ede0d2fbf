"""Customers: a masked list that finds exact values, and one page about each person."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.translation import gettext_lazy as _

from customers import labels
from customers.admin.profile import charts, lookup, past, relationships, reveals, timeline
from customers.domain.events.lifecycle import LifecycleStage
from customers.domain.fields.score_bands import (
    CLV,
    PAY_DAY,
    SPENDING_MONTHLY,
    SPENDING_SHARE,
    SPENDING_TREND,
)
from customers.domain.values.person import Gender, MarketingStatus
from customers.models import ConsentState, ContactPoint, Customer, Score
from customers.selectors import sources
from customers.selectors.profile import page as profiles
from customers.selectors.profile import person, search
from customers.services.relationships import READ as READ_RELATIONSHIPS
from loancrm import admin_lookups, admin_pages
from loancrm.admin_filters import vocabulary_filter
from loancrm.kernel import clock
from loancrm.kernel.access import is_allowed
from loancrm.kernel.admin.read_only import ReadOnlyAdmin

# Of an app above, which this one cannot import.
_SEES_ALERTS = "analytics.view_riskcase"


def _status_word(value: str) -> str:
    """Return a marketing status in words; an open one says nothing about consents and stops."""
    if value == MarketingStatus.OPEN:
        return str(_("No hardship or dispute"))
    return labels.MARKETING_STATUSES.label(value)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """The list never shows a whole name or number; the page of a person does not either."""

    list_display = ("number", "name", "phone", "stage", "sex", "city", "status", "since")
    list_display_links = ("number", "name")
    list_filter = (
        vocabulary_filter(
            "lifecycle_stage", _("lifecycle stage"), LifecycleStage, labels.STAGES.label
        ),
        vocabulary_filter(
            "marketing_status", _("hardship or dispute"), MarketingStatus, _status_word
        ),
        vocabulary_filter("gender", _("gender"), Gender, labels.GENDERS.label),
    )
    # The words of a search are personal data: they are posted, not put into the address.
    list_before_template = "customers/customer_search.html"
    own_parameters = (admin_lookups.FIND,)
    ordering = ("-id",)
    show_full_result_count = False
    list_filter_sheet = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """Leave out people who were merged into another, and read phones in one query."""
        rows = Customer.objects.live().prefetch_related("contact_points")
        words = lookup.words_of(request)
        if words is None:
            return rows
        return rows.filter(search.matching(words, today=clock.today())).distinct()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows the key of a lookup."""
        return admin_lookups.LookupChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the words of its lookup in the form."""
        words = lookup.words_of(request)
        return super().changelist_view(request, {**(extra_context or {}), "lookup_words": words})

    @admin.display(description=_("No."), ordering="id")
    def number(self, customer: Customer) -> str:
        """Return the id as people quote it."""
        return f"#{customer.pk}"

    @admin.display(description=_("full name"))
    def name(self, customer: Customer) -> str:
        """Return the masked name."""
        return person.masked_name(customer) or "–"

    @admin.display(description=_("phone"))
    def phone(self, customer: Customer) -> str:
        """Return the masked primary phone number."""
        points: list[ContactPoint] = [
            point
            for point in customer.contact_points.all()
            if point.kind == "phone" and point.is_primary
        ]
        return person.masked_contact(points[0]) if points else "–"

    @admin.display(description=_("lifecycle stage"), ordering="lifecycle_stage")
    def stage(self, customer: Customer) -> str:
        """Return the stage in words."""
        return labels.STAGES.label(customer.lifecycle_stage)

    @admin.display(description=_("gender"), ordering="gender")
    def sex(self, customer: Customer) -> str:
        """Return the gender in words."""
        return labels.GENDERS.label(customer.gender)

    @admin.display(description=_("hardship or dispute"), ordering="marketing_status")
    def status(self, customer: Customer) -> str:
        """Return what stands in the way of marketing whatever was agreed; mostly nothing."""
        is_open = customer.marketing_status == MarketingStatus.OPEN
        return "–" if is_open else labels.MARKETING_STATUSES.label(customer.marketing_status)

    @admin.display(description=_("created at"), ordering="created_at")
    def since(self, customer: Customer) -> Any:
        """Return when the customer was first known."""
        return customer.created_at.astimezone(clock.company_zone()).date()

    def get_urls(self) -> list[URLPattern]:
        """Add the pieces that the page of a person loads by themselves."""
        return [
            lookup.url(),
            *timeline.urls(),
            *past.urls(),
            *relationships.urls(),
            *reveals.urls(),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the page of one person."""
        rows = Customer.objects.annotate(source_title=sources.title())
        customer = admin_pages.row_of(rows, object_id)
        admin_pages.require(request, "customers.view_customer", customer)
        actor = admin_pages.actor_of(request)
        can_relate = is_allowed(actor, READ_RELATIONSHIPS, customer)
        found = profiles.profile(
            customer,
            today=clock.today(),
            now=clock.now(),
            zone=clock.company_zone(),
            is_for_risk=can_relate,
        )
        return admin_pages.page(
            request,
            "customers/profile.html",
            title=found.masked_name or f"#{customer.pk}",
            model_admin=self,
            profile=found,
            labels=labels,
            source_names=found.source_names,
            stage=labels.STAGES.label(customer.lifecycle_stage),
            marketing_status=_status_word(customer.marketing_status),
            consents=[(_consent_name(row.state), row) for row in found.consents],
            loans=[(labels.LOAN_STATUSES.label(facts.loan.status), facts) for facts in found.loans],
            applications=[
                (labels.APPLICATION_STATUSES.label(row.status), row) for row in found.applications
            ],
            **_pieces_above(request, customer),
            stays=[(labels.STAGES.label(stay.stage), stay) for stay in found.stages],
            is_delinquent=any(facts.loan.dpd_days > 0 for facts in found.loans),
            charts=charts.of_months(found.months),
            scores=[
                (f"{_('Score')} · {name}", *rest)
                for name, *rest in (_score(score) for score in found.scores)
            ],
            lifetime_value=found.lifetime_value,
            lifetime_version=_version(found.lifetime_value),
            spending=_spending(found.spending),
            score_versions=[_score(score) for score in found.score_versions],
            timeline_url=timeline.url_of(customer),
            **timeline.choices(request, found),
            customer=customer,
            can_reveal=is_allowed(actor, "customers.reveal_pii", customer),
            can_relate=can_relate,
            **relationships.choices(),
        )


def _consent_name(consent: ConsentState) -> str:
    return f"{labels.CHANNELS.label(consent.channel)} · {labels.PURPOSES.label(consent.purpose)}"


def _score(score: Score) -> tuple[str, str, str, Score]:
    """Return a score with its name, its band and its version in words."""
    return (
        labels.score_model(score.model_name),
        labels.score_band(score.band),
        labels.model_version(score.version),
        score,
    )


def _version(values: Mapping[str, Score]) -> str:
    return labels.model_version(values[CLV].version) if CLV in values else ""


def _spending(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Return how a person spends as the page shows it; empty where nothing is known."""
    if SPENDING_MONTHLY not in scores:
        return {}
    trend, pay_day = scores.get(SPENDING_TREND), scores.get(PAY_DAY)
    shares = sorted(
        (-score.value, name.removeprefix(SPENDING_SHARE))
        for name, score in scores.items()
        if name.startswith(SPENDING_SHARE)
    )
    return {
        "monthly": scores[SPENDING_MONTHLY],
        "version": labels.model_version(scores[SPENDING_MONTHLY].version),
        "trend": f"{trend.value * 100:+.1f}%" if trend else "",
        "pay_day": int(pay_day.value) if pay_day else None,
        "shares": [(name, f"{-part:.4f}", f"{-part * 100:.1f}%") for part, name in shares],
    }


def _pieces_above(request: HttpRequest, customer: Customer) -> dict[str, str]:
    """Return where the pieces of the page that the apps above show are loaded from."""
    may_see_alerts = request.user.has_perm(_SEES_ALERTS)
    return {
        "messages_url": _url_above("admin:campaigns_customer_messages", customer),
        "contact_url": _url_above("admin:campaigns_customer_contact", customer),
        "alerts_url": _url_above("warning:customer", customer) if may_see_alerts else "",
    }


def _url_above(name: str, customer: Customer) -> str:
    """Return where the app above shows something about this person, which this app cannot know."""
    try:
        return reverse(name, args=[customer.pk])
    except NoReverseMatch:
        return ""
