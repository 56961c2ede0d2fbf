"""Quality figures: seeded errors are found, measures have their parts, trends show."""

import csv
import random
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from customers.domain.values.quality import Share, Trend, trend
from customers.models import DataSource, ImportBatch
from customers.selectors.imports import quality as import_quality
from loancrm.kernel.models import AuditEntry
from tests.integration.customers.import_rows import NOW, card, loader, person

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

# What a supplier's hand does to a good cell, by the finding that it deserves.
_HARM = {
    "phone_invalid": ("phone", lambda cell, rng: cell[: rng.randint(3, 8)]),
    "phone_digits_lost": ("phone", lambda cell, rng: f"{cell[0]}.{cell[1:3]}E+10"),
    "email_invalid": ("email", lambda cell, rng: cell.replace("@", rng.choice((" at ", "")))),
    "id_checksum": ("card", lambda cell, rng: cell[:-1] + ("1" if cell[-1] == "0" else "0")),
    "id_format": ("card", lambda cell, rng: cell[:12]),
    "date_invalid": ("born", lambda cell, rng: cell[:5] + "13-45"),
    "birth_future": ("born", lambda cell, rng: "2999-01-01"),
    "number_invalid": ("income", lambda cell, rng: rng.choice(("much", "1.2.3", "12,3万元?"))),
}


def _good(serial: int) -> dict[str, str]:
    number = card(serial)
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return person(serial, email=f"c{serial}@example.com", card=number, born=born)


@pytest.mark.parametrize("seed", [1, 2])
def test_s64_seeded_errors_are_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    rows = [_good(serial) for serial in range(20)] + [
        person(serial, email=f"c{serial}@example.com") for serial in range(20, 400)
    ]
    planted = set()
    for at in rng.sample(range(400), 160):
        code, (column, harm) = rng.choice(sorted(_HARM.items()))
        if not rows[at][column]:
            continue
        rows[at][column] = harm(rows[at][column], rng)
        planted.add((at + 2, column, code))
    rejects = tmp_path / "rejects.csv"

    loader(tmp_path)(rows, rejects=rejects)

    with rejects.open(encoding="utf-8-sig", newline="") as stream:
        found = {(int(r["line"]), r["column"], r["code"]) for r in csv.DictReader(stream)}
    hits = len(found & planted)
    assert len(planted) > 100
    assert {code for _line, _column, code in planted} > {"phone_invalid", "date_invalid"}
    assert hits / len(planted) == 1.0, sorted(planted - found)
    assert hits / len(found) == 1.0, sorted(found - planted)


def test_s69_every_dimension_has_a_numerator_and_a_denominator_counted_by_hand(
    tmp_path: Path,
) -> None:
    rows = [
        person(1, email="a@example.com"),
        person(2, phone="12"),
        person(3, city=""),
        person(3, id="B3"),
        person(4, card=card(4), born="1999-09-09"),
    ]
    loader(tmp_path)(rows)
    batch = ImportBatch.objects.get()
    quality = batch.quality

    def parts(share: dict[str, float]) -> tuple[float, float]:
        assert share["rate"] == pytest.approx(share["numerator"] / share["denominator"])
        return share["numerator"], share["denominator"]

    assert {name: parts(share) for name, share in quality["completeness"].items()} == {
        "name": (5, 5), "card": (1, 5), "born": (5, 5), "phone": (5, 5), "email": (1, 5),
        "city": (4, 5), "income": (5, 5), "sms": (0, 5),
    }  # fmt: skip
    assert parts(quality["validity"]["phone"]) == (4, 5)
    assert parts(quality["validity"]["email"]) == (1, 1)
    assert quality["validity"]["sms"] == {"numerator": 0, "denominator": 0, "rate": None}
    assert parts(quality["uniqueness"]) == (4, 5)
    assert parts(quality["consistency"]) == (4, 5)
    assert set(quality) == set(import_quality.MEASURES)
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get(reverse("admin:customers_importbatch_change", args=[batch.pk])).text
    for text in ("26 / 40", "25 / 26", "4 / 5"):
        assert text in page


@pytest.mark.parametrize(
    ("newest", "earlier", "found"),
    [
        # 90 of 100 against 180 of 200: equal.
        (Share(90, 100), Share(180, 200), Trend.LEVEL),
        # Pooled 240 of 300 = 0.8; deviation 0.049; 0.60 against 0.90 is six of them.
        (Share(60, 100), Share(180, 200), Trend.WORSE),
        (Share(90, 100), Share(120, 200), Trend.BETTER),
        # 0.93 against 0.90 with few rows is no more than chance.
        (Share(93, 100), Share(180, 200), Trend.LEVEL),
        (Share(1, 1), Share(1, 1), Trend.LEVEL),
        (Share(0, 0), Share(180, 200), Trend.UNKNOWN),
        (Share(5, 5), Share(0, 0), Trend.UNKNOWN),
    ],
)
def test_s64_a_trend_is_told_only_beyond_chance(
    newest: Share, earlier: Share, found: Trend
) -> None:
    assert trend(newest, earlier) is found


def test_s64_a_source_shows_its_figures_over_time_and_who_answers_for_them(tmp_path: Path) -> None:
    load = loader(tmp_path)
    for week, wrong in enumerate((1, 2, 25)):
        rows = [
            person(serial, phone="12" if serial % 100 < wrong else f"139{week}{serial:07d}")
            for serial in range(week * 100, week * 100 + 100)
        ]
        load(rows, now=NOW + timedelta(days=7 * week))
    cards = import_quality.source_history(source="test", limit=20)
    assert [card.shares[1] for card in cards] == [(475, 500), (498, 500), (499, 500)]
    moves = dict(zip(import_quality.MEASURES, import_quality.trends(cards), strict=True))
    assert (moves["validity"], moves["uniqueness"]) == (Trend.WORSE, Trend.LEVEL)
    assert moves["timeliness"] is Trend.UNKNOWN
    assert set(import_quality.trends([])) == {Trend.UNKNOWN}

    owner = User.objects.create_superuser("steward-chen")
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner)
    source = DataSource.objects.get(name="test")
    address = reverse("admin:customers_datasource_change", args=[source.pk])
    client.post(
        address,
        {"kind": "own_system", "purposes": ["marketing"], "quality_owner": owner.pk,
         "is_active": "on"},
    )  # fmt: skip
    source.refresh_from_db()
    assert source.quality_owner == owner
    changed = AuditEntry.objects.filter(action="datasource.changed").latest("pk")
    assert changed.facts["quality_owner"] == owner.pk
    page = client.get(address).text
    for text in ("475 / 500", "95.0%", "worse", "nothing to compare"):
        assert text in page
    assert "steward-chen" in client.get(reverse("admin:customers_datasource_changelist")).text
    batch = ImportBatch.objects.latest("pk")
    shown = client.get(reverse("admin:customers_importbatch_change", args=[batch.pk])).text
    assert "steward-chen" in shown
    assert "worse" in shown
    chinese = client.get(address, headers={"accept-language": "zh-hans"}).text
    assert "变差" in chinese


def test_s64_a_source_without_files_says_so() -> None:
    source = DataSource.objects.create(name="quiet", kind="own_system", created_at=NOW)
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get(reverse("admin:customers_datasource_change", args=[source.pk])).text
    assert "No file of this source was measured yet." in page
