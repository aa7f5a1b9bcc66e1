"""The gate every change passes: style, types, import contracts, tests, coverage.

    ./optix test                 everything
    ./optix test -k tidy         the checks, and the tests selected; coverage is not judged

Every step runs even if one before it failed, so one run shows all there is to mend.
Exit code: 0 when all passed, 1 otherwise, 130 when interrupted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple


ROOT = Path(__file__).resolve().parent.parent
TEST_PROCESSES = 3
"""One more than the two cores that the suite is sized for: tests of whole nodes often wait."""

LINT_IMPORTS = (
    "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
)
ALONE = ("-n", "--numprocesses", "--pdb", "-s", "--trace", "--collect-only", "--co", "-h", "--help")


class Outcome(NamedTuple):
    """How one step went."""

    name: str
    passed: bool
    seconds: float
    remark: str = ""


def run(name: str, *arguments: str) -> Outcome:
    """Run a module of this Python as a step, with its output shown as it comes."""
    print(f"── {name}", flush=True)
    started = time.monotonic()
    code = subprocess.call(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, env=_environment()
    )
    remark = "" if code == 0 else f"exit code {code}"
    return Outcome(name, code == 0, time.monotonic() - started, remark)


def check_sources() -> list[Outcome]:
    """Run what needs no test: linter, formatter, type checker, import contracts."""
    return [
        run("ruff check", "-m", "ruff", "check", "."),
        run("ruff format", "-m", "ruff", "format", "--check", "."),
        run("mypy", "-m", "mypy"),
        run("lint-imports", "-c", LINT_IMPORTS, "--no-logo"),
    ]


def run_tests(selection: list[str]) -> Outcome:
    """Run pytest under coverage, on some processes unless the selection asks otherwise."""
    alone = any(argument.startswith(ALONE) for argument in selection)
    spread = [] if alone else ["-n", str(TEST_PROCESSES), "--dist", "worksteal"]
    return run("tests", "-m", "coverage", "run", "-m", "pytest", "-q", *spread, *selection)


def judge_coverage(*, whole: bool) -> list[Outcome]:
    """Combine what the processes measured and compare it with the thresholds.

    Args:
        whole: whether all tests were run; a selection is reported, never judged.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    overall = settings["coverage"]["report"]["fail_under"]
    judged = whole and overall > 0
    combined = run("coverage combine", "-m", "coverage", "combine", "--quiet")
    if not combined.passed:
        return [combined]
    thresholds = {"overall": overall, **settings["optix"]["coverage"]}
    return [_judge(where, minimum, judged=judged) for where, minimum in thresholds.items()]


def main(selection: list[str]) -> int:
    """Run all steps and print the summary; return the exit code."""
    started = time.monotonic()
    for remains in ROOT.glob(".coverage.*"):
        remains.unlink()
    outcomes = [*check_sources(), run_tests(selection)]
    outcomes += judge_coverage(whole=not selection)
    print("── summary")
    for name, passed, seconds, remark in outcomes:
        print(f"{'ok' if passed else 'FAILED':8}{name:28}{seconds:7.1f} s  {remark}")
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    print(f"optix test: {verdict} in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def _judge(where: str, minimum: int, *, judged: bool) -> Outcome:
    include = [] if where == "overall" else [f"--include={where}/*"]
    options = ["--fail-under=0", "--skip-covered", "--skip-empty", *include]
    if judged:
        options[0] = f"--fail-under={minimum}"
    started = time.monotonic()
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "report", *options],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if report.returncode != 0:
        print(report.stdout, report.stderr)
    lines = [line for line in report.stdout.splitlines() if line.startswith("TOTAL")]
    percent = lines[0].split()[-1] if lines else "nothing measured"
    remark = f"{percent} of at least {minimum} %" + ("" if judged else ", not judged")
    # A package without a line yet has nothing to measure: coverage reports that as code 1.
    passed = report.returncode == 0 or not judged
    return Outcome(f"coverage {where}", passed, time.monotonic() - started, remark)


def _environment() -> dict[str, str]:
    """Return the environment of the steps: the tools of this Python come first."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": tools}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
