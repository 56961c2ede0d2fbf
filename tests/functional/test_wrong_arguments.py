"""Commands with wrong arguments: one line with a code, status 2 or 1, no standard output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class
from django.db import OperationalError

from customers.models import Customer
from customers.services.events import lifecycle
from loancrm.kernel.commands.base import failure_line

pytestmark = pytest.mark.django_db

WRONG = [
    ("segment", "nosuch"),
    ("segment", '{"x":1}'),
    ("segment", "."),
    ("find_duplicates", "--limit", "-5"),
    ("find_duplicates", "--limit", "many"),
    ("find_duplicates", "--limit", "99999999999999999999"),
    ("import_customers", "nosuch.csv", "--mapping", "campaign_bank"),
    ("import_customers", "LEADS", "--mapping", "nosuch"),
    ("import_customers", "LEADS", "--mapping", "nosuch.json"),
    ("import_customers", "LEADS", "--mapping", "campaign_bank", "--limit", "phone_invalid"),
    ("import_customers", "LEADS", "--mapping", "campaign_bank", "--limit", "nosuch=0.1"),
    ("import_customers", "LEADS", "--mapping", "campaign_bank", "--rejects", "/nosuch/rejects.csv"),
    ("import_customers", "LEADS", "--mapping", "campaign_bank", "--mode", "sideways"),
    ("import_events", "nosuch.csv"),
    ("import_events", "LEADS", "--mapping", "nosuch"),
    ("import_loans", "nosuch.csv", "--kind", "loans"),
    ("import_loans", "LEADS", "--kind", "nosuch"),
    ("import_loans", "LEADS", "--kind", "berka"),
    ("import_touches", "nosuch.csv", "--campaign", "c", "--channel", "email"),
    ("import_touches", "LEADS", "--campaign", "c", "--channel", "pigeon"),
    ("import_touches", "LEADS", "--campaign", "c", "--channel", "email", "--window-days", "0"),
    ("repair_import", "1"),
    ("repair_import", "-1"),
    ("repair_import", "99999999999999999999"),
    ("repair_import", "1", "--set", "a=b"),
    ("export_own_data", "1", "own.json", "--reason", "asked"),
    ("export_own_data", "x", "own.json", "--reason", "asked"),
    ("export_own_data", "1", "/nosuch/own.json", "--reason", "asked"),
    ("export_segment", "--as", "nobody", "--segment", "s"),
    ("export_segment", "--as", "nobody", "--write", "0"),
    ("discover_segments", "--method", "rfm", "--segment", "nosuch"),
    ("discover_segments", "--method", "rfm", "--within-days", "-1"),
    ("discover_segments", "--method", "rfm", "--as-of", "yesterday"),
    ("discover_segments", "--method", "clusters", "--max-clusters", "-1"),
    ("discover_segments", "--method", "clusters", "--features", "nosuch"),
    ("discover_segments", "--method", "clusters", "--random-seed", "-1"),
    ("discover_segments", "--method", "clusters", "--assign", "--name", "nosuch"),
    ("discover_segments", "--method", "lookalike"),
    ("discover_segments", "--method", "lookalike", "--seed-segment", "nosuch"),
    ("discover_segments", "--method", "lookalike", "--seed-segment", "s", "--share", "2"),
    ("demo", "--customers", "-1"),
    ("demo", "--customers", "0"),
    ("demo", "--port", "99999"),
    ("demo", "--json", "/nosuch/report.json"),
    ("generate_demo", "--customers", "-1"),
    ("generate_demo", "--today", "2026-02-30"),
    ("generate_demo", "--seed", "-1"),
    ("match_quality", "nosuch.csv", "--truth", "nosuch.csv"),
    ("match_quality", "LEADS", "--truth", "LEADS", "--sure", "7"),
    ("rotate_keys", "--batch", "0"),
    ("bench", "nosuch"),
    ("bench", "dispatch", "--scale", "-1"),
    ("bench", "dispatch", "--rounds", "0"),
    ("launch_campaign", "nosuch"),
    ("launch_campaign", "nosuch", "--timeout", "nan"),
    ("approve_campaign", "nosuch", "--as", "nobody"),
    ("pause_campaign", "nosuch"),
    ("resume_campaign", "nosuch"),
    ("cancel_campaign", "nosuch"),
    ("campaign_status", "nosuch"),
    ("campaign_report", "nosuch"),
    ("create_campaign", "nosuch.json"),
    ("create_campaign", "LEADS"),
    ("create_partner", "某机构"),
    ("create_partner", "nosuch", "--add"),
    ("revoke_partner", "nosuch"),
    ("revoke_partner", "nosuch", "--client", "x"),
    ("configure_channel", "x", "--kind", "email", "--backend", "smtp", "--options", "["),
    ("configure_channel", "x", "--kind", "email", "--backend", "nosuch"),
    ("health", "nosuch"),
    ("up", "--port", "-1"),
    ("up", "--web-workers", "0"),
    ("up", "--concurrency", "many"),
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_h6_a_wrong_argument_is_answered_in_one_line_with_a_code(
    words: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    leads = tmp_path / "leads.csv"
    leads.write_text("a,b\n1,2\n", encoding="utf-8")
    status, line = refused(*(str(leads) if word == "LEADS" else word for word in words), "--json")
    assert status in {1, 2}
    assert re.fullmatch(r"[a-z_]+: \S.*", line)
    assert capsys.readouterr().out == ""
    assert not Customer.objects.exists()


def refused(name: str, *words: str) -> tuple[int, str]:
    """Run a command as from a shell; return its status and what it says."""
    command = load_command_class(get_commands()[name], name)
    given = list(words)
    if name in {"demo", "export_own_data"}:
        given.remove("--json") if given.count("--json") == 1 else given.pop()
    parser = command.create_parser("manage.py", name)
    parser.called_from_command_line = False
    try:
        options = vars(parser.parse_args(given))
        command.execute(*options.pop("args", ()), **options)
    except CommandError as error:
        return error.returncode, str(error)
    raise AssertionError("nothing was refused")


def test_h6_a_wrong_argument_from_a_shell_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = load_command_class(get_commands()["find_duplicates"], "find_duplicates")
    command._called_from_command_line = True
    parser = command.create_parser("manage.py", "find_duplicates")
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--limit", "-5"])
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert told.err.startswith("argument_wrong: ")


def test_h5_a_database_that_goes_away_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: object) -> int:
        raise OperationalError("server closed the connection unexpectedly\n\tThis probably means")

    monkeypatch.setattr(lifecycle, "refresh_due", gone)
    status, line = refused("refresh_lifecycle", "--json")
    assert (status, line.count("\n")) == (1, 0)
    assert line.startswith("database_unavailable: ")


def test_an_error_of_our_own_making_is_not_taken_for_an_anticipated_one() -> None:
    assert failure_line(ValueError("bug")) is None
    assert failure_line(KeyError("bug")) is None
