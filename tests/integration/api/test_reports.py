"""A shared report is the lender's own report, but for figures about too few people."""

from typing import Any

import pytest

from campaigns.services.partners import contracts
from loancrm.kernel import clock
from tests.factories.links import make_linked
from tests.integration.analytics.selectors.scene import Scene, lend
from tests.partner_client import ACTOR, PartnerClient

pytestmark = pytest.mark.sql


@pytest.fixture
def scene(db: None) -> Scene:
    return Scene(make_linked(f"c{number}" for number in range(60)))


@pytest.fixture
def reader(acme: PartnerClient, scene: Scene) -> PartnerClient:
    lend(scene)
    contracts.share(actor=ACTOR, partner=acme.partner, shared=scene.campaign, now=clock.now())
    return acme


def _figures(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, list):
        return [figure for item in content for figure in _figures(item)]
    if not isinstance(content, dict):
        return []
    if "metric" in content:
        return [content]
    return [figure for item in content.values() for figure in _figures(item)]


def test_a_partner_reads_counts_and_rates(reader: PartnerClient) -> None:
    report = reader.get("campaigns/spring/report").json()

    # 40 were sent a message and 30 of them applied; of 20 held out nobody did.
    assert (report["audience"], report["sent"], report["held_out"], report["converted"]) == (
        60,
        40,
        20,
        30,
    )
    rate = report["figures"]["conversion_rate"]
    assert (rate["numerator"], rate["denominator"], rate["value"]) == (30, 40, 0.75)
    assert report["by_channel"]["sms"]["converted"] == 30


def test_figures_about_fewer_than_ten_people_are_blank(reader: PartnerClient, scene: Scene) -> None:
    own = {
        (figure["metric"], str(figure["window"]), str(figure["filters"])): figure
        for figure in _figures(scene.report(as_of=clock.now()).to_json())
    }
    small = {
        key
        for key, figure in own.items()
        if isinstance(figure["denominator"], int) and 0 < figure["denominator"] < 10
    }

    shown = _figures(reader.get("campaigns/spring/report").json())

    assert small
    assert len(shown) == len(_figures(scene.report(as_of=clock.now()).to_json()))
    for figure in shown:
        key = (figure["metric"], str(figure["window"]), str(figure["filters"]))
        told = {figure[name] for name in ("value", "low", "high", "numerator", "denominator")}
        if key in small:
            assert (told, figure["note"]) == ({None}, "below_threshold")
        else:
            assert figure["numerator"] == own[key]["numerator"]
            assert figure["value"] == own[key]["value"]
