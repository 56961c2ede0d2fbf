"""The commands that take history in print what they promise."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import Campaign
from customers.models import Event, Loan, Product
from tests.factories.links import make_linked

pytestmark = pytest.mark.django_db


def _run(command, *arguments):
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def test_loans_come_in_kind_by_kind(tmp_path):
    make_linked(["c1"])
    (tmp_path / "products.csv").write_text("code,name_en\ncash,Cash\n")
    (tmp_path / "loans.csv").write_text(
        "id,customer_id,product,principal_amount,term_months,disbursed_on\n"
        "L1,c1,cash,1200,12,2026-01-15\n"
    )
    (tmp_path / "map.json").write_text('{"source": "bank", "columns": {"external_id": "id"}}')

    first = json.loads(
        _run("import_loans", tmp_path / "products.csv", "--kind", "products", "--json")
    )
    second = json.loads(
        _run(
            "import_loans",
            tmp_path / "loans.csv",
            "--kind",
            "loans",
            "--mapping",
            tmp_path / "map.json",
            "--json",
        )
    )

    keys = {"rows", "created", "updated", "unchanged", "rejected", "by_reason", "seconds"}
    assert keys <= first.keys()
    assert (first["created"], second["created"], second["source"]) == (1, 1, "bank")
    assert Loan.objects.get().product == Product.objects.get()
    assert Loan.objects.get().outstanding_amount == 1200


def test_touches_take_a_goal_and_a_window(tmp_path):
    make_linked(["c1"])
    path = tmp_path / "touches.csv"
    path.write_text("external_id,touched_at\nc1,2026-01-15T10:00:00\n")
    arguments = ("import_touches", path, "--campaign", "old", "--channel", "sms")

    text = _run(*arguments, "--goal-event", "loan_disbursed", "--window-days", 30)

    assert "exposed: 1" in text.splitlines()
    campaign = Campaign.objects.get()
    assert (campaign.goal_event, campaign.goal_window_days) == ("loan_disbursed", 30)
    with pytest.raises(CommandError, match="3650"):
        _run(*arguments, "--window-days", 0)
    with pytest.raises(CommandError, match="goal_fixed"):
        _run(*arguments, "--window-days", 7)


def test_events_print_their_counts(tmp_path):
    make_linked(["c1"])
    path = tmp_path / "events.csv"
    path.write_text("external_id,event,occurred_at\nc1,app_login,2026-01-15\n")

    text = _run("import_events", path, "--source", "bank")

    assert "created: 1" in text.splitlines()
    assert Event.objects.get().source == "bank"


def test_a_missing_file_ends_the_command_with_its_code(tmp_path):
    for command in (
        ("import_events", tmp_path / "no.csv"),
        ("import_loans", tmp_path, "--kind", "berka"),
        ("import_touches", tmp_path / "no.csv", "--campaign", "x", "--channel", "sms"),
    ):
        with pytest.raises(CommandError, match=r"argument_wrong|rows_refused"):
            _run(*command)

    assert Campaign.objects.count() == 0
