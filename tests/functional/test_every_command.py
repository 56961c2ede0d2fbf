"""Every command that there is answers wrong arguments in one line, status 2, nothing on stdout."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class

from loancrm.kernel.commands.base import LoanCrmCommand

_OURS = ("loancrm", "customers", "campaigns", "analytics")
COMMANDS = sorted(
    name for name, app in get_commands().items() if str(app).partition(".")[0] in _OURS
)
# No number, no day, no choice, and a file in a folder that is not there.
SENSELESS = "nosuch/none"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    Path("folder").mkdir()


def _parser(name: str) -> argparse.ArgumentParser:
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, LoanCrmCommand)
    command._called_from_command_line = True
    return command.create_parser("manage.py", name)


def _takes(parser: argparse.ArgumentParser, action: argparse.Action, text: str) -> bool:
    try:
        value = parser._get_value(action, text)
        parser._check_value(action, value)
    except argparse.ArgumentError:
        return False
    return True


def _good(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    tried = (*map(str, action.choices or ()), "1", "100", "file.csv", "2026-01-31", "folder", "x")
    return next(text for text in tried if _takes(parser, action, text))


def _words(
    parser: argparse.ArgumentParser, *, but: argparse.Action | None = None, given: str | None = None
) -> list[str]:
    """Return the least that a command needs, one argument given otherwise or left out."""
    words = []
    needed = [action for action in parser._actions if action.required]
    needed += [
        group._group_actions[0]
        for group in parser._mutually_exclusive_groups
        if group.required and but not in group._group_actions
    ]
    for action in parser._actions:
        text = given if action is but else _good(parser, action) if action in needed else None
        if text is not None:
            option = action.option_strings[-1:]
            words.append(f"{option[0]}={text}" if option else text)
    return words


def _with_values(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Find the arguments that take a value: flags and `--help` have nothing to be wrong."""
    return (action for action in parser._actions if action.nargs != 0)


def _refused(parser: argparse.ArgumentParser, words: list[str], told: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(words)
    shown = told.readouterr()
    assert (ended.value.code, shown.out) == (2, ""), words
    assert re.fullmatch(r"argument_wrong: \S.*\n", shown.err), (words, shown.err)


def test_every_app_has_commands() -> None:
    found = {str(get_commands()[name]).partition(".")[0] for name in COMMANDS}
    assert found == {app for app in _OURS if apps.is_installed(app)} | {"loancrm"}
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("name", COMMANDS)
def test_h6_an_unknown_option_is_one_line(name: str, capsys: Any) -> None:
    parser = _parser(name)
    parser.parse_args(_words(parser))
    _refused(parser, [*_words(parser), "--no-such-option"], capsys)
    _refused(parser, [*_words(parser), "--no-such-option=1", "one-too-many"], capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_h6_a_missing_argument_is_one_line(name: str, capsys: Any) -> None:
    parser = _parser(name)
    for action in _with_values(parser):
        if action.required:
            _refused(parser, _words(parser, but=action), capsys)
        if action.option_strings:
            _refused(parser, [*_words(parser), action.option_strings[-1]], capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_h6_a_senseless_value_of_any_typed_argument_is_one_line(name: str, capsys: Any) -> None:
    parser = _parser(name)
    for action in _with_values(parser):
        if action.type is not None or action.choices is not None:
            _refused(parser, _words(parser, but=action, given=SENSELESS), capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_h6_no_number_and_no_file_is_taken_without_bounds(name: str) -> None:
    parser = _parser(name)
    own = (action for action in parser._actions if action.dest != "verbosity")
    assert [a.dest for a in own if a.type in {int, float, Path}] == []
