"""The page of who leaves, who comes back and how content people say they are."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from analytics.dashboards.cards import Tile
from analytics.dashboards.credit.book_charts import UNKNOWN, percent
from analytics.dashboards.credit.tabs import tabs
from analytics.domain.lifetime.churn import EARLY_DAYS, WINDOW_DAYS
from analytics.domain.lifetime.relationships import RelationshipYear, relationship_years
from analytics.domain.lifetime.satisfaction import NetPromoterScore, csat, nps
from analytics.domain.lifetime.vocabulary import ChurnState
from analytics.domain.lifetime_value import ASSUMPTIONS
from analytics.domain.rates import Proportion
from analytics.labels.lifetime import CHURN_STATES, SURVEY_KINDS
from analytics.selectors.lifetime.borrowers import BorrowerFigures, load_borrower_figures
from analytics.selectors.lifetime.relationships import load_relationships
from analytics.selectors.lifetime.survey_answers import answers
from customers.domain.events.survey import SurveyKind
from loancrm import admin_pages
from loancrm.kernel import clock

VIEW = "campaigns.view_report"
SURVEY_DAYS = 90


def page(request: HttpRequest) -> HttpResponse:
    """Show churn, early settlement, repeat loans, stays, CSAT and NPS, each with its interval."""
    admin_pages.require(request, VIEW)
    now = clock.now()
    found = load_borrower_figures(today=clock.today())
    since = now - timedelta(days=SURVEY_DAYS)
    stays = load_relationships(today=clock.today())
    years = relationship_years(
        stays.spans,
        margin=stays.margin,
        discount=ASSUMPTIONS.discount_rate,
    )
    satisfied = csat(answers(SurveyKind.CSAT, since=since, until=now))
    promoted = nps(answers(SurveyKind.NPS, since=since, until=now))
    return admin_pages.page(
        request,
        "analytics/lifetime/borrowers.html",
        title=_("Leaving and coming back"),
        tabs=tabs("borrowers"),
        tiles=_borrower_tiles(found),
        has_borrowers=any(one.trials for one in (found.churn, found.early, found.repeat)),
        states=[
            (CHURN_STATES.term(state), found.states[state])
            for state in ChurnState
            if found.states[state]
        ],
        since=found.since,
        until=found.until,
        years=[_year(each) for each in years],
        stays_until=stays.until,
        has_values=any(each.value is not None for each in years),
        survey_tiles=_survey_tiles(satisfied, promoted),
        has_answers=bool(satisfied.trials or promoted.answers),
        survey_days=SURVEY_DAYS,
        parts=[
            (_("Promoters (9 and 10)"), promoted.promoters),
            (_("Passives (7 and 8)"), promoted.passives),
            (_("Detractors (0 to 6)"), promoted.detractors),
        ],
    )


def _borrower_tiles(found: BorrowerFigures) -> list[Tile]:
    days = {"days": WINDOW_DAYS}
    return [
        _rate(
            _("Churn"),
            found.churn,
            "logout",
            _("of borrowers with a running loan at the start, settled all within a year and drew"
              " nothing for %(days)s days") % days,
        ),
        _rate(
            _("Settled early"),
            found.early,
            "fast_forward",
            _("of the loans settled in the last year, %(days)s days or more before the last due"
              " date") % {"days": EARLY_DAYS},
        ),
        _rate(
            _("Repeat loans"),
            found.repeat,
            "replay",
            _("of borrowers whose first loan was settled in the year, borrowed again by %(days)s"
              " days after") % days,
        ),
    ]  # fmt: skip


def _year(found: RelationshipYear) -> list[object]:
    left = found.left
    return [
        found.year,
        f"{left.trials:,}",
        f"{left.successes:,}",
        f"{percent(left.rate)} ({percent(left.low)} – {percent(left.high)})",
        percent(found.survival),
        UNKNOWN if found.value is None else f"¥{found.value:,.0f}",
    ]


def _rate(label: str, found: Proportion, icon: str, meaning: str) -> Tile:
    counted = _("%(part)s of %(all)s") % {
        "part": f"{found.successes:,}",
        "all": f"{found.trials:,}",
    }
    return Tile(
        label=label,
        value=percent(found.rate),
        note=_interval(percent(found.low), percent(found.high), is_known=found.rate is not None),
        icon=icon,
        basis=f"{counted} · {meaning}",
    )


def _survey_tiles(satisfied: Proportion, promoted: NetPromoterScore) -> list[Tile]:
    answered = _("%(count)s answers") % {"count": f"{promoted.answers:,}"}
    return [
        _rate(
            str(SURVEY_KINDS.label(SurveyKind.CSAT)),
            satisfied,
            "sentiment_satisfied",
            _("the last answer of each person"),
        ),
        Tile(
            label=str(SURVEY_KINDS.label(SurveyKind.NPS)),
            value=_points(promoted.value),
            note=_interval(
                _points(promoted.low), _points(promoted.high), is_known=bool(promoted.answers)
            ),
            icon="thumb_up",
            basis=f"{answered} · {_('promoters less detractors, -100 to 100')}",
        ),
    ]


def _points(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.1f}"


def _interval(low: str, high: str, *, is_known: bool) -> str:
    if not is_known:
        return _("not known yet")
    return _("95%% interval %(low)s to %(high)s") % {"low": low, "high": high}
