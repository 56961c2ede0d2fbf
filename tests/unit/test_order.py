"""Tests stand alone: what one leaves in the process is gone before the next one."""

from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from campaigns.channels import registry
from tests.functional import once
from tests.ordering import long_first


@pytest.mark.parametrize("turn", [1, 2])
def test_no_channel_count_language_or_zone_outlives_a_test(turn: int) -> None:
    channel = registry.shared(name="outliving", backend="memory", options={})

    assert channel.calls == 0, turn
    assert cache.get("outliving") is None
    assert translation.get_language() == "zh-hans"
    assert timezone.get_current_timezone_name() == "Asia/Shanghai"
    channel.send([])
    cache.set("outliving", 1)
    translation.activate("en")
    timezone.activate("Pacific/Kiritimati")


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (1, [9, 8, 5, 3, 2, 1, 1]),
        (2, [8, 3, 1, 9, 5, 2, 1]),
        (3, [3, 1, 8, 1, 9, 5, 2]),
    ],
)
def test_each_worker_begins_with_the_longest_tests_of_its_share(
    workers: int, expected: list[int]
) -> None:
    assert long_first([1, 3, 8, 1, 2, 9, 5], workers, float) == expected


def test_tests_of_one_length_keep_their_order() -> None:
    named = [("a", 1), ("b", 0), ("c", 1), ("d", 0)]
    assert [name for name, _n in long_first(named, 1, lambda item: item[1])] == list("acbd")


def test_what_a_run_shares_is_made_once_and_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once.tempfile, "gettempdir", lambda: str(tmp_path))
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text(str(len(made)))

    for name in ("first", "second"):
        (copy := tmp_path / name).mkdir()
        once.copy_of("it", make, copy)
        assert (copy / "file").read_text() == "1"
        (copy / "file").write_text("changed")
    assert len(made) == 1
    dead = tmp_path / "loancrm-run-99999999"
    dead.mkdir()
    once.sweep()
    assert not list(tmp_path.glob("loancrm-run-*"))


def test_what_failed_half_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once.tempfile, "gettempdir", lambda: str(tmp_path))

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        once.copy_of("it", fail, tmp_path)
    (copy := tmp_path / "copy").mkdir()
    once.copy_of("it", lambda folder: (folder / "whole").touch(), copy)
    assert [path.name for path in copy.iterdir()] == ["whole"]
