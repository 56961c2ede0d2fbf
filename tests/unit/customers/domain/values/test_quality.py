"""Measures of a file's quality: exact, and the same after a rest."""

from datetime import date
from zoneinfo import ZoneInfo

from customers.domain.imports.importing import RowReader
from customers.domain.imports.mapping import parse_mapping
from customers.domain.reading.tabular import TabularRow
from customers.domain.values.quality import Scorecard, Share, exceeded_limits

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a8_a_share_equal_to_its_limit_is_allowed() -> None:
    for limit, count in ((0.07, 7), (0.29, 29), (0.57, 57), (0.0, 0)):
        codes = {"phone_invalid": count}
        limits = {"phone_invalid": limit}
        assert exceeded_limits(limits, codes, rows=100, rejected=0) == []
        over = exceeded_limits(limits, {"phone_invalid": count + 1}, rows=100, rejected=0)
        assert [(item.count, item.rows) for item in over] == [(count + 1, 100)]


def test_a8_refused_rows_have_a_limit_of_their_own() -> None:
    found = exceeded_limits({"rejected": 0.1}, {}, rows=10, rejected=2)
    assert [(item.code, item.count) for item in found] == [("rejected", 2)]


def test_a8_timeliness_counts_rows_by_the_age_of_their_state() -> None:
    mapping = parse_mapping(
        {
            "name": "x",
            "columns": {"p": "contact.phone"},
            "freshness": {"column": "as of", "days": 30},
        }
    )
    reader = RowReader(mapping, today=date(2026, 3, 31), zone=SHANGHAI)
    for line, text in enumerate(["2026-03-01", "2026-02-28", "?", ""], start=2):
        reader.read(TabularRow(line, {"p": "13800000001", "as of": text}))
    assert reader.scorecard.timeliness == Share(1, 2)
    assert mapping.missing_columns(("p",)) == ("as of",)


def test_a_card_goes_on_where_it_was_stored() -> None:
    card = Scorecard()
    card.count_cells("p", cells=1, blank=0, wrong=1)
    card.consistency.count(good=True)
    again = Scorecard()
    again.restore(card.as_json())
    assert again == card
