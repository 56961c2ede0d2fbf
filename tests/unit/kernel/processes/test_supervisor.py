import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loancrm.kernel.processes.supervisor import ProcessSpec, Supervisor

pytestmark = pytest.mark.slow
SLEEPER = "import time; time.sleep(60)"
STUBBORN = (
    "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
)


def _python(name: str, code: str, *arguments: str) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-c", code, *arguments))


def _wait_until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_killed_process_comes_back_after_the_back_off():
    lines: list[str] = []
    supervisor = Supervisor([_python("one", SLEEPER)], say=lines.append)
    supervisor.start()
    try:
        first = supervisor.pids()["one"]
        os.kill(first, signal.SIGKILL)
        _wait_until(lambda: not supervisor.pids())

        supervisor.poll()
        assert supervisor.pids() == {}
        _wait_until(lambda: supervisor.poll() or supervisor.pids())

        assert supervisor.pids()["one"] != first
        assert lines[1] == "one ended (-9); again in 1 s"
    finally:
        supervisor.stop()


def test_stop_ends_all_and_kills_the_one_that_does_not_listen(tmp_path):
    lines: list[str] = []
    ready = tmp_path / "ready"
    specs = [_python("tame", SLEEPER), _python("stubborn", STUBBORN, str(ready))]
    supervisor = Supervisor(specs, say=lines.append)
    supervisor.start()
    pids = supervisor.pids().values()
    _wait_until(ready.exists)

    supervisor.stop(grace_seconds=0.5)

    assert not any(_is_running(pid) for pid in pids)
    assert supervisor.pids() == {}
    assert [line for line in lines if "killed" in line] == ["stubborn did not stop in 0 s: killed"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path):
    pid_file = tmp_path / "pid"
    code = (
        "import pathlib, sys\n"
        "from loancrm.kernel.processes.supervisor import ProcessSpec, Supervisor\n"
        f"spec = ProcessSpec('child', (sys.executable, '-c', {SLEEPER!r}))\n"
        "supervisor = Supervisor([spec], say=lambda line: None)\n"
        "supervisor.start()\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(supervisor.pids()['child']))\n"
        "supervisor.run()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        _wait_until(lambda: pid_file.exists() and pid_file.read_text())
        child = int(pid_file.read_text())
        assert _is_running(child)

        parent.kill()
        parent.wait()

        _wait_until(lambda: not _is_running(child))


def test_environment_of_a_spec_is_added_to_the_own(tmp_path):
    target = tmp_path / "value"
    code = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(os.environ['FRUIT'])"
    spec = ProcessSpec("one", (sys.executable, "-c", code, str(target)), {"FRUIT": "pear"})
    supervisor = Supervisor([spec], say=lambda line: None)

    supervisor.start()
    try:
        _wait_until(lambda: target.exists() and target.read_text())
    finally:
        supervisor.stop()

    assert target.read_text() == "pear"
