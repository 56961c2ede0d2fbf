"""The commands of the room print one JSON object each."""

import json

import pytest
from django.core.management import call_command

from tests.factories.loans import make_loan, on
from tests.factories.people import make_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]


def test_without_a_policy_the_command_says_so_in_json(capsys):
    call_command("decide_applications", "--json")

    assert json.loads(capsys.readouterr().out) == {
        "policy": 0,
        "approved": 0,
        "declined": 0,
        "review": 0,
        "count": 0,
    }


def test_the_book_is_derived_by_command(capsys):
    make_loan(make_people(1)[0], "L1", on("2026-01-10"))

    call_command("derive_loan_book", "--json")

    found = json.loads(capsys.readouterr().out)
    assert found["loan_count"] == 1
    assert found["month_count"] >= 10
    assert found["estimates"] == []
