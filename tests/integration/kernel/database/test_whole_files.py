"""A command that dies over a file leaves none that looks finished, and can be run again."""

import os
from contextlib import suppress

import pytest
from django.core.management import call_command

from customers.management.commands import export_own_data
from loancrm.kernel.database.whole_files import whole_file
from tests.factories.people import make_people


class Killed(BaseException):
    """The process ended here."""


def test_a7_a_file_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / "stops.csv"
    target.write_text("old", encoding="utf-8")
    with suppress(Killed), whole_file(target) as unfinished:
        unfinished.write_text("ha", encoding="utf-8")
        raise Killed
    assert target.read_text(encoding="utf-8") == "old"
    # A kill leaves what it had; the next run clears it away.
    (tmp_path / ".stops.csv.part").write_text("half of it", encoding="utf-8")
    with whole_file(target) as unfinished:
        unfinished.write_text("new", encoding="utf-8")
    assert [(one.name, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [
        ("stops.csv", "new")
    ]


def test_what_is_no_file_is_written_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with whole_file(pipe) as target:
        assert target == pipe


@pytest.mark.django_db
def test_a7_own_data_can_be_written_after_a_kill_over_the_file(tmp_path, monkeypatch):
    (person,) = make_people(1)
    target = tmp_path / "own.json"
    arguments = ["export_own_data", str(person.pk), str(target), "--reason", "asked for a copy"]

    def die(*_args, **_kwargs):
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(export_own_data.Path, "write_text", die)
        call_command(*arguments)
    assert not target.exists()
    call_command(*arguments)
    assert person.external_id in target.read_text(encoding="utf-8")
    assert target.stat().st_mode & 0o777 == 0o600
