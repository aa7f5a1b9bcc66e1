"""Children of ours: started in order, ended in order or by force."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from storage.embedded import process
from storage.embedded.process import Command, end, log_tail, spawn
from tests.support import MS


STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""


def shell(script: str, log: Path, stdin: bytes = b"", fd: tuple[int, ...] = ()) -> Command:
    """Describe a small script run as ourselves."""
    return Command(
        program=Path("/bin/sh"),
        arguments=["-c", script],
        directory=log.parent,
        account=None,
        log=log,
        death_signal=signal.SIGKILL,
        keep_fds=fd,
        stdin=stdin,
    )


def test_child_gets_input_directory_and_a_clean_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = spawn(shell("cat; pwd; umask; env | sort", log, stdin=b"hello\n"))
    assert child.wait() == 0
    said = log.read_text().splitlines()
    assert said[:3] == ["hello", str(tmp_path), "0077"]
    names = {line.partition("=")[0] for line in said[3:]}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "LC_ALL", "TZ"}


def test_child_holds_what_it_shall_and_leads_a_session(tmp_path: Path) -> None:
    with (tmp_path / "held").open("w") as held:
        script = f"cut -d ' ' -f 6 /proc/$$/stat >/proc/self/fd/{held.fileno()}"
        child = spawn(shell(script, tmp_path / "log", fd=(held.fileno(),)))
        assert child.wait() == 0
        child_without = spawn(shell(script, tmp_path / "log"))
        assert child_without.wait() != 0
    assert (tmp_path / "held").read_text().strip() == str(child.pid)


def test_program_that_cannot_be_launched_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = shell("", log)
    child = spawn(Command(**{**vars(command), "program": tmp_path / "nothing", "stdin": b"x"}))
    assert child.wait() == 71
    assert "cannot launch" in log_tail(log)
    assert "No such file" in log_tail(log)


def test_input_nobody_reads_is_no_error(tmp_path: Path) -> None:
    child = spawn(shell("exit 3", tmp_path / "log", stdin=b"x" * process.STDIN_BYTES_MAX))
    assert child.wait() == 3


def test_deaf_child_is_ended_by_force() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"deaf\n"
        code = end(child, ((signal.SIGTERM, 50 * MS),))
    assert code == -signal.SIGKILL
    assert end(child, ((signal.SIGTERM, 50 * MS),)) == -signal.SIGKILL


def test_log_tail_is_short(tmp_path: Path) -> None:
    assert log_tail(tmp_path / "none") == ""
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(5_000)))
    assert log_tail(log).split(" | ") == [
        f"line {number}" for number in range(5_000 - process.LOG_TAIL_LINES, 5_000)
    ]
