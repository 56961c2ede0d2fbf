"""Looking through stored customers for people who are there twice."""

import json
import random
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from customers.models import Customer, Merge, MergeDecision
from customers.services.identity import duplicates, merging
from customers.services.identity.duplicates import DuplicateReport
from loancrm.kernel.access import Actor
from tests.integration.customers.import_rows import card, loader, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]
TWICE = 12


@pytest.fixture
def base(tmp_path: Path) -> list[tuple[str, str]]:
    """60 people, twelve of them twice: another phone, a slip in the name; pairs of external ids."""
    rng = random.Random(2)
    rows = [
        person(
            number,
            born=f"{rng.randint(1950, 2004)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
            email=f"user{rng.randint(1000, 9999)}x{number}@example.com",
            city=rng.choice(("西安", "武汉", "杭州", "成都")),
        )
        for number in range(60)
    ]
    again = [
        row | {"id": f"D{number}", "phone": f"139{number:08d}", "name": row["name"] + "平"}
        for number, row in enumerate(rows[:TWICE])
    ]
    loader(tmp_path)(rows + again)
    assert Customer.objects.count() == 60 + TWICE
    return [(f"A{number}", f"D{number}") for number in range(TWICE)]


def search(actor: Actor, now: datetime, *, is_merging_sure: bool = False) -> DuplicateReport:
    return duplicates.find_duplicates(
        actor=actor,
        limit=1000,
        is_merging_sure=is_merging_sure,
        rng=np.random.default_rng(1),
        now=now,
        today=now.date(),
    )


def test_a11_likely_pairs_are_queued_and_nobody_is_merged(
    base: list[tuple[str, str]], actor: Actor, now: datetime
) -> None:
    report = search(actor, now)
    pairs = MergeDecision.objects.values_list("kept__external_id", "other__external_id")
    assert sorted(pairs) == sorted(base)
    assert (report.compared, report.proposed, report.merged) == (72, TWICE, 0)
    assert not MergeDecision.objects.exclude(probability__gte=0.5, probability__lte=1).exists()
    assert Customer.objects.live().count() == 72


def test_a11_what_people_decided_is_not_proposed_again(
    base: list[tuple[str, str]], actor: Actor, now: datetime
) -> None:
    search(actor, now)
    first = MergeDecision.objects.order_by("pk").first()
    assert first is not None
    merging.keep_apart(actor=actor, decision_id=first.pk, now=now)
    assert search(actor, now).proposed == 0
    assert MergeDecision.objects.count() == TWICE
    report = search(actor, now, is_merging_sure=True)
    assert report.merged == 0
    first.refresh_from_db()
    assert first.state == "refused"


def test_a11_sure_pairs_are_merged_on_request_and_can_be_parted(
    base: list[tuple[str, str]], actor: Actor, now: datetime
) -> None:
    report = search(actor, now, is_merging_sure=True)
    merged = Merge.objects.values_list("kept__external_id", "other__external_id")
    assert set(merged) <= set(base)
    assert report.merged == len(merged) >= TWICE - 2
    assert report.merged + report.proposed == TWICE
    merging.unmerge(actor=actor, merge_id=Merge.objects.earliest("pk").pk, now=now)
    assert Customer.objects.live().count() == 72 - report.merged + 1


@pytest.mark.parametrize("is_merging_sure", [False, True])
def test_who_is_erased_or_merged_during_a_search_is_left_out_and_counted(
    base: list[tuple[str, str]],
    actor: Actor,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    is_merging_sure: bool,
) -> None:
    resolve = duplicates.resolve
    people = dict(Customer.objects.values_list("external_id", "pk"))

    def slowly(*given: Any, **named: Any) -> Any:
        found = resolve(*given, **named)
        Customer.objects.filter(pk=people["D0"]).delete()
        Customer.objects.filter(pk=people["D1"]).update(merged_into=people["A50"])
        return found

    monkeypatch.setattr(duplicates, "resolve", slowly)

    report = search(actor, now, is_merging_sure=is_merging_sure)

    assert (report.merged + report.proposed, report.skipped) == (TWICE - 2, 2)
    named = MergeDecision.objects.filter(state="proposed").values_list("other__external_id")
    assert not {("D0",), ("D1",)} & set(named)


def test_e12_two_national_ids_are_never_proposed(tmp_path: Path) -> None:
    twins = [person(1, card=card(1), born=""), person(1, id="A2", card=card(2), born="")]
    loader(tmp_path)(twins)
    out = StringIO()
    call_command("find_duplicates", "--json", "--merge-sure", stdout=out)
    assert json.loads(out.getvalue()) == {"compared": 2, "proposed": 0, "merged": 0, "skipped": 0}
