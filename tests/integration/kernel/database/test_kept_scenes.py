"""A scene that is kept is the one that was made, and never what another beginning would give."""

import pytest

from customers.models import ConsentState, ContactPoint, Customer
from tests import emptying
from tests.factories import kept
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _stored() -> tuple[list[dict], list[dict]]:
    # When a row was written is stamped by the database, whoever writes it.
    people = list(Customer.objects.order_by("pk").values())
    return [{**row, "changed_at": None} for row in people], list(
        ContactPoint.objects.order_by("pk").values()
    )


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(kept, "_kept", {})
    return []


def _scene(made: list[str]) -> None:
    def make() -> None:
        made.append("once")
        make_people(3, city="上海")

    kept.scene("three people", make)


def _take_away() -> None:
    models = (ConsentState, ContactPoint, Customer)
    emptying.delete_rows(model._meta.db_table for model in models)


def test_the_second_time_its_rows_are_written_with_their_keys(made: list[str]) -> None:
    _scene(made)
    first = _stored()
    _take_away()
    _scene(made)
    assert made == ["once"]
    assert _stored() == first
    # The next row takes a key of its own.
    assert make_people(1, prefix="later")[0].pk > max(row["id"] for row in first[0])


def test_beside_other_rows_it_is_made_anew(made: list[str]) -> None:
    _scene(made)
    _take_away()
    make_people(1, prefix="earlier")
    _scene(made)
    assert made == ["once", "once"]
    assert Customer.objects.count() == 4
