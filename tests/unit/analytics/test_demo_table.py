from types import SimpleNamespace

import pytest

from analytics.management.demo import table
from campaigns.domain.sending.eligibility import SkipReason

FUNNEL = ("audience", "held_out", "sent", "delivered", "clicked", "converted")


def _report(slug):
    return SimpleNamespace(
        head=SimpleNamespace(slug=slug, name=slug),
        counts=SimpleNamespace(to_json=lambda: dict.fromkeys(FUNNEL, 1)),
        figures={},
        retention=(),
        default_rates={},
    )


@pytest.mark.parametrize("reason", list(SkipReason))
def test_why_people_were_skipped_is_told_in_both_languages_and_in_no_code(reason):
    lines = table.lines([_report("one"), _report("two")], {"two": {reason.value: 345}})
    chinese, english = lines[-2:]

    assert chinese.startswith("跳过 skipped: ")
    assert not chinese.isascii()
    assert chinese.split()[-2:] == ["-", "345"]
    assert english.strip().isascii()
    assert " " in english.strip()
    assert "_" not in chinese + english


def test_every_number_stands_below_the_name_of_its_campaign():
    skips = {"first": {SkipReason.ALREADY_SENT.value: 345}}
    lines = table.lines([_report("first")], skips)
    wide = next(line for line in lines if line.endswith("345"))
    columns = len(wide) - 3 + sum(one > "\u2e80" for one in wide)
    assert columns == lines[0].index("first")
