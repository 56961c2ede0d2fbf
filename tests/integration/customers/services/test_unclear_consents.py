"""A word about a consent that cannot be read ends a grant, begins none, and is on the list."""

import pytest

from customers.models import ConsentRecord, ConsentState
from customers.services import imports
from customers.services.imports import ImportOrder
from tests.integration.customers.import_rows import MAPPING, NOW, person, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def _load(actor, tmp_path, name, rows, **changes):
    path = write_csv(tmp_path / name, rows)
    order = ImportOrder(path=path, mapping=MAPPING, source="core", **changes)
    return imports.import_customers(actor=actor, order=order, now=NOW, today=NOW.date())


def _granted():
    rows = ConsentState.objects.filter(channel="sms", is_granted=True)
    return set(rows.values_list("customer__external_id", flat=True))


@pytest.mark.parametrize(
    "word", ["N", "退订", "unsubscribed", "退订短信", "Opted out", "撤回", "也许", "??", "yes/no"]
)
def test_g1_what_is_not_clearly_a_grant_leaves_none_standing(actor, tmp_path, word):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y"), person(2, sms="Y")])
    assert ConsentState.objects.filter(is_granted=True).count() == 2
    _load(actor, tmp_path, "second.csv", [person(1, sms=word), person(2, sms="Y")])
    states = ConsentState.objects.order_by("customer_id").values_list("is_granted", flat=True)
    assert list(states) == [False, True]


def test_g1_a_word_that_cannot_be_read_is_a_finding(actor, tmp_path):
    _load(actor, tmp_path, "first.csv", [person(1, sms="Y")])
    rejects = tmp_path / "rejects.csv"
    _load(actor, tmp_path, "second.csv", [person(1, sms="也许")], rejects=rejects)
    assert "flag_invalid" in rejects.read_text(encoding="utf-8-sig")


def test_g1_a_word_that_cannot_be_read_about_somebody_new_is_no_refusal(actor, tmp_path):
    _load(actor, tmp_path, "first.csv", [person(1, sms="也许"), person(2, sms="退订")])
    assert ConsentRecord.objects.count() == 1
    _load(actor, tmp_path, "second.csv", [person(1, sms="Y"), person(2, sms="Y")])
    states = ConsentState.objects.order_by("customer_id").values_list("is_granted", flat=True)
    assert list(states) == [True, False]
