"""Early warning: the cases, one case, and the rules."""

from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from analytics.dashboards.cards import Tile
from analytics.dashboards.warning.forms import CloseForm, RuleForm
from analytics.domain.warning.cases import CaseOutcome, CaseState
from analytics.labels.warning import (
    ACTIONS,
    ALERT_ENDS,
    CASE_OUTCOMES,
    CASE_STATES,
    SEVERITIES,
    SIGNALS,
    finding,
    rule_name,
)
from analytics.models import RiskAlert, RiskCase, WarningRule
from analytics.selectors.warning.rule_terms import stops_marketing
from analytics.services.warning import cases, rules
from customers.domain.values.person import MarketingStatus
from customers.models import Customer, DataSource, Segment
from customers.selectors.profile.person import masked_name
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "analytics.view_riskcase"
VIEW_RULES = "analytics.view_warningrule"
PAGE_SIZE = 50
_MONTH_DAYS = 30


def index(request: HttpRequest) -> HttpResponse:
    """List the cases: those to be looked at first, the most urgent at the top."""
    admin_pages.require(request, VIEW)
    now = clock.now()
    shown = request.GET.get("show", "open")
    rows = _chosen(shown, request, now)
    found = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    names = _group_names(case.alert for case in found)
    return admin_pages.page(
        request,
        "analytics/warning/cases.html",
        title=_("Early warning"),
        tiles=_tiles(now),
        filters=[(key, label, key == shown) for key, label in _filters()],
        rows=[_row(case, names, now) for case in found],
        page=found,
        page_query=f"show={shown}&",
        is_filtered=shown != "open",
        may_see_rules=request.user.has_perm(VIEW_RULES),
    )


def show(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show what was found, what is to be done, and what came of it."""
    case = admin_pages.row_of(_all(), case_id)
    admin_pages.require(request, VIEW, case)
    return _case_page(request, case, CloseForm())


@require_POST
def take(request: HttpRequest, case_id: str) -> HttpResponse:
    """Make the user the owner of a case."""
    case = admin_pages.row_of(_all(), case_id)
    admin_pages.require(request, cases.CHANGE, case)
    with admin_pages.attempt(request, _("The case is yours.")):
        cases.take_case(
            actor=admin_pages.actor_of(request), case=case, user=request.user, now=clock.now()
        )
    return HttpResponseRedirect(reverse("warning:case", args=[case.pk]))


@require_POST
def close(request: HttpRequest, case_id: str) -> HttpResponse:
    """Say what came of a case."""
    case = admin_pages.row_of(_all(), case_id)
    admin_pages.require(request, cases.CHANGE, case)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return _case_page(request, case, form)
    with admin_pages.attempt(request, _("The case is closed.")):
        cases.close_case(
            actor=admin_pages.actor_of(request), case=case, now=clock.now(), **form.cleaned_data
        )
    return HttpResponseRedirect(reverse("warning:case", args=[case.pk]))


def rule_list(request: HttpRequest) -> HttpResponse:
    """List the rules with what they found lately."""
    admin_pages.require(request, VIEW_RULES)
    since = clock.now() - timedelta(days=_MONTH_DAYS)
    found = (
        WarningRule.objects.select_related("owner")
        .order_by("pk")
        .annotate(
            open=Count("alerts", filter=Q(alerts__ended_at=None)),
            recent=Count("alerts", filter=Q(alerts__opened_at__gte=since)),
            false=Count(
                "alerts",
                filter=Q(
                    alerts__case__outcome=CaseOutcome.FALSE_ALARM,
                    alerts__case__closed_at__gte=since,
                ),
            ),
        )
    )
    rows = [
        {
            "rule": rule,
            "name": rule_name(rule.signal),
            "hint": SIGNALS.hint(rule.signal),
            "severity": SEVERITIES.term(rule.severity),
            "action": ACTIONS.label(rule.action),
            "owner": rule.owner.get_username() if rule.owner else "–",
        }
        for rule in found
    ]
    return admin_pages.page(
        request,
        "analytics/warning/rules.html",
        title=_("Warning rules"),
        rows=rows,
        may_change=request.user.has_perm(rules.CHANGE),
    )


def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Change what a rule looks for and what is done."""
    row = admin_pages.row_of(WarningRule, rule_id)
    admin_pages.require(request, rules.CHANGE, row)
    form = RuleForm(request.POST or None, rule=row)
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, _("The rule is changed.")) as action:
            rules.change_rule(
                actor=admin_pages.actor_of(request),
                rule=row,
                changes=form.cleaned_data,
                now=clock.now(),
            )
        if action.is_done:
            return HttpResponseRedirect(reverse("warning:rules"))
    return admin_pages.page(
        request,
        "analytics/warning/rule.html",
        title=rule_name(row.signal),
        hint=SIGNALS.hint(row.signal),
        form=form,
        fields=list(form),
    )


def _case_page(request: HttpRequest, case: RiskCase, form: CloseForm) -> HttpResponse:
    alert, now = case.alert, clock.now()
    names = _group_names([alert])
    others = RiskAlert.objects.none()
    if alert.customer_id is not None:
        others = RiskAlert.objects.filter(customer_id=alert.customer_id).exclude(pk=alert.pk)
    return admin_pages.page(
        request,
        "analytics/warning/case.html",
        title=_("Case #%(number)s") % {"number": case.pk},
        case=case,
        **_row(case, names, now),
        stops=alert.customer_id is not None and alert.ended_at is None and stops_marketing(alert),
        outcome=CASE_OUTCOMES.label(case.outcome) if case.outcome else "",
        others=[
            {
                "name": rule_name(other.rule.signal),
                "severity": SEVERITIES.term(other.severity),
                "finding": finding(other.rule.signal, other.facts),
                "opened_at": other.opened_at,
                "ended_at": other.ended_at,
                "url": reverse("warning:case", args=[other.case.pk]),
            }
            for other in others.select_related("rule", "case").order_by("-opened_at", "-pk")[:20]
        ],
        form=form,
        fields=list(form),
        may_work=request.user.has_perm(cases.CHANGE),
        is_open=case.state != CaseState.CLOSED,
        is_mine=case.owner_id == request.user.pk and case.state == CaseState.TAKEN,
    )


def _all() -> QuerySet[RiskCase]:
    return RiskCase.objects.select_related("alert__rule", "alert__customer", "owner")


def _filters() -> list[tuple[str, str]]:
    return [
        ("open", _("To be looked at")),
        ("mine", _("Mine")),
        ("late", _("Overdue")),
        ("closed", _("Closed")),
    ]


def _chosen(shown: str, request: HttpRequest, now: datetime) -> QuerySet[RiskCase]:
    rows = _all()
    unfinished = ~Q(state=CaseState.CLOSED)
    if shown == "mine":
        return rows.filter(unfinished, owner_id=request.user.pk).order_by("due_at", "pk")
    if shown == "late":
        return rows.filter(state=CaseState.OPEN, due_at__lt=now).order_by("due_at", "pk")
    if shown == "closed":
        return rows.filter(state=CaseState.CLOSED).order_by("-closed_at", "-pk")
    return rows.filter(unfinished).order_by("due_at", "pk")


def _tiles(now: datetime) -> list[Tile]:
    waiting = RiskCase.objects.filter(state=CaseState.OPEN)
    people = Customer.objects.live().filter(marketing_status=MarketingStatus.AT_RISK).count()
    return [
        Tile(_("To be looked at"), f"{waiting.count():,}", _("cases that nobody has yet"), "inbox"),
        Tile(
            _("Overdue"),
            f"{waiting.filter(due_at__lt=now).count():,}",
            _("of these, past the time their rule gives"),
            "alarm",
        ),
        Tile(
            _("In hand"),
            f"{RiskCase.objects.filter(state=CaseState.TAKEN).count():,}",
            _("cases somebody works on"),
            "front_hand",
        ),
        Tile(
            _("No marketing for now"),
            f"{people:,}",
            _("people whom an open alert bars from it"),
            "do_not_disturb_on",
        ),
    ]


def _group_names(alerts: Any) -> dict[str, str]:
    """Return how the groups of alerts are called (2 queries where there are any)."""
    slugs = {alert.group for alert in alerts if alert.group}
    if not slugs:
        return {}
    found = {slug: slug for slug in slugs}
    found |= dict(Segment.objects.filter(slug__in=slugs).values_list("slug", "name"))
    sources = DataSource.objects.filter(name__in=slugs)
    found |= {source.name: str(source) for source in sources}
    return found


def _row(case: RiskCase, names: dict[str, str], now: datetime) -> dict[str, Any]:
    alert = case.alert
    if alert.customer is not None:
        who = masked_name(alert.customer) or f"#{alert.customer_id}"
        url = reverse("admin:customers_customer_change", args=[alert.customer_id])
    else:
        who, url = names.get(alert.group, alert.group), ""
    return {
        "number": case.pk,
        "who": who,
        "who_url": url,
        "rule_name": rule_name(alert.rule.signal),
        "severity": SEVERITIES.term(alert.severity),
        "finding": finding(alert.rule.signal, alert.facts),
        "action": ACTIONS.label(case.action),
        "state": CASE_STATES.term(case.state),
        "opened_at": alert.opened_at,
        "ended_at": alert.ended_at,
        "ended_why": ALERT_ENDS.label(alert.end_reason) if alert.end_reason else "",
        "due_at": case.due_at,
        "is_late": case.state == CaseState.OPEN and case.due_at < now,
        "owner": case.owner.get_username() if case.owner else "",
    }
