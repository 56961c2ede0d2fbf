"""Replays of the past: start one, and read what the rules would have been worth."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from analytics.dashboards.charts import Chart
from analytics.domain.warning.backtest import BacktestChoices
from analytics.labels.warning import rule_name
from analytics.models import WarningBacktest
from analytics.services.warning import replays
from loancrm import admin_pages
from loancrm.kernel import clock
from loancrm.kernel.models import WorkState
from loancrm.kernel.work import labels as work_labels

VIEW = "analytics.view_riskcase"
SHOWN = 50
REFRESH_SECONDS = "2"
_YEAR = 365


class ReplayForm(forms.Form):
    """Which part of the past, in which steps, and what counts as a default."""

    first = forms.DateField(
        label=gettext_lazy("First day looked at"),
        widget=widgets.UnfoldAdminSingleDateWidget(),
    )
    until = forms.DateField(
        label=gettext_lazy("Last day known"),
        widget=widgets.UnfoldAdminSingleDateWidget(),
        help_text=gettext_lazy("Nothing that happened later is used."),
    )
    step_days = forms.IntegerField(
        label=gettext_lazy("Look every … days"),
        min_value=1,
        max_value=_YEAR,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    horizon_days = forms.IntegerField(
        label=gettext_lazy("An alert is right when a default follows within … days"),
        min_value=1,
        max_value=3 * _YEAR,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    default_days = forms.IntegerField(
        label=gettext_lazy("A default is from … days past due on"),
        min_value=1,
        max_value=_YEAR,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("A charge-off always is one."),
    )


def index(request: HttpRequest) -> HttpResponse:
    """List the replays, and start one."""
    admin_pages.require(request, VIEW)
    may_start = request.user.has_perm(replays.ADD)
    if request.method == "POST":
        admin_pages.require(request, replays.ADD)
    today = clock.today()
    choices = BacktestChoices(first=today - timedelta(days=_YEAR), until=today)
    form = ReplayForm(request.POST or None, initial=vars_of(choices))
    if request.method == "POST" and form.is_valid():
        with admin_pages.attempt(request, ""):
            row = replays.start_replay(
                actor=admin_pages.actor_of(request),
                choices=BacktestChoices(**form.cleaned_data),
                now=clock.now(),
            )
            return HttpResponseRedirect(reverse("warning:replay", args=[row.pk]))
    rows = WarningBacktest.objects.select_related("work").order_by("-pk")[:SHOWN]
    return admin_pages.page(
        request,
        "analytics/warning/replays.html",
        title=_("Replays of the past"),
        form=form,
        fields=list(form),
        rows=[(row, work_labels.STATES.term(row.work.state)) for row in rows],
        may_start=may_start,
    )


def show(request: HttpRequest, replay_id: str) -> HttpResponse:
    """Show how far a replay is, or what it found."""
    row = admin_pages.row_of(WarningBacktest.objects.select_related("work"), replay_id)
    admin_pages.require(request, VIEW, row)
    choices = BacktestChoices.from_json(row.parameters)
    rules = [_rule(found) for found in row.result.get("rules", ())]
    answer = admin_pages.page(
        request,
        "analytics/warning/replay.html",
        title=_("Replay of the past"),
        replay=row,
        state=work_labels.STATES.term(row.work.state),
        is_working=row.work.is_open,
        is_done=row.work.state == WorkState.DONE,
        choices=[
            (_("Looked at"), f"{choices.first} – {choices.until}"),
            (_("Look every … days"), str(choices.step_days)),
            (
                _("An alert is right when a default follows within … days"),
                str(choices.horizon_days),
            ),
            (_("A default is from … days past due on"), str(choices.default_days)),
        ],
        rules=rules,
        defaults=row.result.get("defaults", 0),
        charts=[_chart(rules)] if rules else [],
    )
    if row.work.is_open:
        # The browser asks again by itself until it is over.
        answer["Refresh"] = REFRESH_SECONDS
    return answer


def vars_of(choices: BacktestChoices) -> dict[str, Any]:
    """Return choices as a form begins with them."""
    return {
        name: getattr(choices, name)
        for name in ("first", "until", "step_days", "horizon_days", "default_days")
    }


def _rule(found: dict[str, Any]) -> dict[str, Any]:
    is_all = found["signal"] == replays.ALL
    return {
        "name": _("All rules together") if is_all else rule_name(found["signal"]),
        "precision": _share(found["precision"]),
        "precision_rate": found["precision"]["rate"],
        "right": found["precision"]["successes"],
        "judged": found["precision"]["trials"],
        "recall": _share(found["recall"]),
        "recall_rate": found["recall"]["rate"],
        "open": found["open_count"],
        "lead": found["median_lead_days"],
    }


def _share(found: dict[str, Any]) -> str:
    if found["rate"] is None:
        return "–"
    return f"{found['rate']:.1%} ({found['low']:.1%} – {found['high']:.1%})"


def _chart(rules: list[dict[str, Any]]) -> Chart:
    """Return precision and recall of each rule, side by side."""
    names = [rule["name"] for rule in rules]
    series = ((_("Right alerts"), "precision_rate"), (_("Defaults foreseen"), "recall_rate"))
    return Chart(
        key="worth",
        title=_("Right alerts, and defaults foreseen"),
        option={
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
            "legend": {"bottom": 0},
            "grid": {"left": 8, "right": 24, "top": 8, "bottom": 40, "containLabel": True},
            "xAxis": {
                "type": "value",
                "min": 0,
                "max": 1,
                "axisLabel": {"formatter": "fn:percent"},
            },
            "yAxis": {"type": "category", "data": names, "inverse": True},
            "series": [
                {"name": name, "type": "bar", "data": [rule[key] for rule in rules]}
                for name, key in series
            ],
        },
        headers=[_("Rule"), *(name for name, _key in series)],
        rows=[[rule["name"], rule["precision"], rule["recall"]] for rule in rules],
        is_empty=False,
    )
