"""What the operating system refuses is told in one language, the reader's."""

import errno
import os
import re
from pathlib import Path

import pytest
from django.utils import translation

from customers.services.events import from_file
from customers.services.events.from_file import RowsRefused
from customers.services.imports.from_file import FileRefused
from customers.services.imports.pipeline import translate_error
from loancrm.kernel.commands.base import failure_line
from loancrm.kernel.words.system_words import system_words

REASONS = (errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOSPC, errno.EROFS, errno.ENOTTY)
CHINESE, LATIN_WORD = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2,}")


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "名单.1")


def _of_customers(error: OSError) -> str:
    with pytest.raises(FileRefused) as caught, translate_error():
        raise error
    return str(caught.value.message)


def _of_events(error: OSError, monkeypatch: pytest.MonkeyPatch) -> str:
    def refuse(*_args: object) -> None:
        raise error

    monkeypatch.setattr(from_file, "open_records", refuse)
    with pytest.raises(RowsRefused) as caught, from_file.opened(Path("x")):
        pass
    return str(caught.value.message)


@pytest.mark.parametrize("number", REASONS)
@pytest.mark.parametrize(
    ("language", "wanted", "unwanted"),
    [("zh-hans", CHINESE, LATIN_WORD), ("en", LATIN_WORD, re.compile(r"[\u4e00-\u9fff]{3}"))],
)
def test_d_what_the_system_refuses_is_told_in_one_language(
    number: int,
    language: str,
    wanted: re.Pattern[str],
    unwanted: re.Pattern[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = _error(number)
    with translation.override(language):
        said = [system_words(error), _of_customers(error), _of_events(error, monkeypatch)]
        said.append((failure_line(error) or "").partition(": ")[2])
    for words in said:
        assert wanted.search(words), words
        assert not unwanted.search(words), words
