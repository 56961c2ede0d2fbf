import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from analytics.domain import campaign_report as report
from analytics.domain.campaign_report import CampaignHead, CampaignReport
from analytics.domain.campaign_worth import shared_media
from analytics.domain.cost import CostCategory, CostLine
from analytics.domain.figures import WHOLE_CAMPAIGN, Figure, Window, WindowKind, filters_of
from analytics.domain.outcomes import OutcomeCell, Population

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def _head(**changes):
    values = {"holdout_share": 0.2, "variant_weights": {"A": 1, "B": 1, "C": 0}, **changes}
    return CampaignHead("s", "name", "completed", "application_submitted", 7, AS_OF, **values)


def _cell(persons, *, variant="A", control=False, mature=True, converted=False):
    return OutcomeCell(
        channel="sms",
        variant=variant,
        is_control=control,
        is_eligible=True,
        is_sent=not control,
        is_delivered=not control,
        is_clicked=False,
        is_mature=mature,
        is_converted=converted,
        is_converted_ever=converted,
        persons=persons,
    )


def test_a_lift_that_is_certain_is_identified():
    people = Population(
        [
            _cell(500),
            _cell(300, converted=True),
            _cell(190, control=True),
            _cell(10, control=True, converted=True),
        ]
    )

    lift = report.lift_figures(_head(), people.treated, people.control)["lift"]

    assert lift.value == pytest.approx(300 / 800 - 10 / 200)
    assert lift.note is None
    assert lift.low > 0


def test_groups_of_the_wrong_size_are_noticed():
    people = Population([_cell(700), _cell(300, variant="B"), _cell(200, control=True)])

    checks = report.allocation_checks(_head(), people)

    assert checks["variants"].is_off
    assert checks["variants"].observed == (900, 300)
    assert not report.allocation_checks(_head(holdout_share=1 / 6), people)["holdout"].is_off


def test_one_variant_and_no_holdout_need_no_check():
    head = _head(holdout_share=0.0, variant_weights={"A": 1})

    assert report.allocation_checks(head, Population([_cell(5)])) == {}


def test_a_lift_before_its_time_is_immature():
    people = Population([_cell(5, mature=False), _cell(5, mature=False, control=True)])

    figures = report.lift_figures(_head(), people.treated, people.control)

    assert (figures["lift"].value, figures["lift"].note) == (None, "immature")
    assert figures["lift"].excluded_count == 10
    assert figures["control_conversion_rate"].note == "immature"


def test_a_report_is_plain_json():
    head, people = _head(), Population([_cell(4), _cell(2, converted=True)])
    whole = CampaignReport(
        head=head,
        counts=report.counts_of(people),
        figures=report.conversion_figures(head, people),
        variants=report.breakdowns(head, people, name="variant", of=lambda cell: cell.variant),
        default_rates={30: (report.proportion("x", (1, 2), window=WHOLE_CAMPAIGN, as_of=AS_OF),)},
        allocation=report.allocation_checks(head, people),
    )

    content = json.loads(json.dumps(whole.to_json()))

    assert (content["campaign"], content["exposed"], content["converted"]) == ("s", 6, 2)
    assert content["goal"] == {"event": "application_submitted", "window_days": 7}
    assert content["by_variant"]["A"]["figures"]["conversion_rate"]["denominator"] == 6
    assert content["default_rate"]["ever_30_plus"][0]["value"] == 0.5
    assert content["allocation"]["variants"]["observed"] == [6, 0]
    assert len(whole.all_figures()) == 6 + 6 + 4 + 1


def test_money_is_text_to_the_cent_and_the_unknown_is_null():
    figure = Figure(
        metric="cac",
        value=Decimal("33.335"),
        numerator=Decimal(100),
        denominator=3,
        window=Window(WindowKind.AFTER_EXPOSURE, 7),
        as_of=AS_OF,
        filters=filters_of({"channel": "sms", "a": "b"}),
    )

    assert figure.to_json() == {
        "metric": "cac",
        "value": "33.34",
        "low": None,
        "high": None,
        "numerator": "100.00",
        "denominator": 3,
        "window": {"kind": "after_exposure", "length": 7, "unit": "day"},
        "as_of": "2026-03-01T00:00:00+00:00",
        "excluded_count": 0,
        "note": None,
        "filters": {"a": "b", "channel": "sms"},
    }


def test_media_without_a_channel_is_shared_by_persons_sent_to():
    lines = (
        CostLine(CostCategory.MEDIA, Decimal("10.00")),
        CostLine(CostCategory.STAFF, Decimal("5.00")),
    )

    shared = shared_media(lines, {"sms": 2, "email": 1})

    assert shared == (
        CostLine(CostCategory.MEDIA, Decimal("3.33"), "email"),
        CostLine(CostCategory.MEDIA, Decimal("6.67"), "sms"),
        CostLine(CostCategory.STAFF, Decimal("5.00")),
    )
    assert shared_media(lines, {}) == lines
