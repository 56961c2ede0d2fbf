"""Work shared among copies of a process."""

import os
import signal
from pathlib import Path

import pytest

from loancrm.kernel.processes.forked import forked, process_count


def square(number: int) -> tuple[int, int]:
    if number < 0:
        raise ValueError("negative")
    return number * number, os.getpid()


def test_tasks_are_done_elsewhere_and_answered_each_for_itself() -> None:
    with forked(square, 2) as submit:
        answers = [submit(number) for number in range(50)]
        found = [answer.result(timeout=30) for answer in answers]
    assert [number for number, _pid in found] == [number * number for number in range(50)]
    assert os.getpid() not in {pid for _number, pid in found}


def test_what_the_work_raises_is_raised_by_its_answer_and_the_others_go_on() -> None:
    with forked(square, 1) as submit:
        wrong, right = submit(-1), submit(3)
        with pytest.raises(ValueError, match="negative"):
            wrong.result(timeout=30)
        assert right.result(timeout=30)[0] == 9


def test_a_killed_copy_is_told_and_no_copy_outlives_the_block() -> None:
    with forked(square, 1) as submit:
        pid = submit(1).result(timeout=30)[1]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises((EOFError, ConnectionError)):
            submit(2).result(timeout=30)
    with forked(square, 2) as submit:
        pids = {submit(number).result(timeout=30)[1] for number in range(20)}
    assert not any(Path(f"/proc/{pid}").exists() for pid in (pid, *pids))


def test_large_answers_and_large_tasks_do_not_wait_for_each_other() -> None:
    with forked(bytes, 2) as submit:
        answers = [submit(b"x" * 1_000_000) for _ in range(10)]
        assert {len(answer.result(timeout=30)) for answer in answers} == {1_000_000}


def test_there_are_never_more_processes_than_cores() -> None:
    assert 1 <= process_count() <= (os.cpu_count() or 1)
