"""What must hold of the tree as a whole: what is declared is there and the reverse, and it runs anywhere."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rdpdoctor import probes
from rdpdoctor.knowledge import load, store
from rdpdoctor.probes.base import Probe

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "src" / "rdpdoctor"
SYSTEM_ONLY = [
    *("crypt", "curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog"),
    *("termios", "tty", "msvcrt", "winreg", "winsound"),
]  # fmt: skip


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    return tuple(sorted(path for folder in folders for path in (TOP / folder).rglob("*.py")))


@cache
def texts() -> dict[str, str]:
    """Everything people wrote, by its path below the top."""
    folders = ("src", "tests", "bench", "docs", "requirements", ".ci")
    paths = [path for folder in folders for path in (TOP / folder).rglob("*")] + list(TOP.glob("*"))
    kinds = (".py", ".toml", ".md", ".json", ".txt", ".svg", "")
    return {
        str(path.relative_to(TOP)): path.read_text(encoding="utf-8")
        for path in sorted(paths)
        if path.is_file() and path.suffix in kinds and not any(part.endswith("_cache") for part in path.parts)
    }


# ---- probes and knowledge


def test_the_tuple_of_probes_is_the_folder() -> None:
    found = set()
    for path in (PACKAGE / "probes").glob("[a-z]*.py"):
        module = import_module(f"rdpdoctor.probes.{path.stem}")
        found |= {id(value) for value in vars(module).values() if isinstance(value, Probe)}
    assert found == {id(probe) for probe in probes.PROBES}
    assert len({probe.id for probe in probes.PROBES}) == len(probes.PROBES)


def test_probes_and_tags_agree() -> None:
    declared, emitted = set(load().tags), {tag for probe in probes.PROBES for tag in probe.emits}
    assert emitted <= declared
    # What no probe writes: the check itself, the user, the diagnosis, recordings.
    made = ("derived.", "check.", "probe.", "experiment.", "code.", "answer.")
    others = (
        *made,
        "flow.",
        "event.",
        "cloud.",
        "file.",
        "host.",
        "gateway.",
        "nla.denied",
        "mcs.silent",
        "mcs.stalled",
    )
    assert {tag for tag in declared - emitted if not tag.startswith(others)} == set()


def test_cause_files_are_named_as_their_ids() -> None:
    ids = {
        path.stem: tomllib.loads(path.read_text("utf-8"))["id"]
        for path in (PACKAGE / "knowledge" / "causes").glob("*.toml")
    }
    assert ids == {name: name for name in load().causes}


def test_the_index_is_that_of_the_files() -> None:
    index = (store.FOLDER / store.INDEX).read_text("ascii")
    assert index == store.index_text(), "run `make index`"


# ---- any system


def _top_level(path: Path) -> set[str]:
    """The roots of what a module imports when it is imported itself (not inside functions)."""
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", sources("src", "bench"), ids=lambda path: str(path.relative_to(TOP)))
def test_no_module_of_one_system_is_imported(path: Path) -> None:
    assert _top_level(path).isdisjoint(SYSTEM_ONLY)


AS_ON_WINDOWS = """
import os, pkgutil, signal, socket, sys
import rdpdoctor

def everything():
    for module in pkgutil.walk_packages(rdpdoctor.__path__, "rdpdoctor."):
        if not module.name.endswith("__main__"):
            __import__(module.name)

everything()  # so that the standard library and other packages are loaded as on this system
ours = [name for name in sys.modules if name.split(".")[0] == "rdpdoctor" and name != "rdpdoctor"]
for name in ours:
    del sys.modules[name]
    parent, _, own = name.rpartition(".")
    if parent == "rdpdoctor":
        vars(rdpdoctor).pop(own, None)
for name in sys.argv[1].split():
    sys.modules[name] = None
for module, names in (
    (os, "fork geteuid getuid getgid getpgid killpg setsid setns uname"),
    (signal, "SIGKILL SIGHUP SIGUSR1 SIGALRM SIGQUIT SIGPIPE SIGCHLD"),
    (socket, "AF_UNIX AF_NETLINK AF_PACKET MSG_ERRQUEUE MSG_DONTWAIT MSG_NOSIGNAL TCP_INFO TCP_MAXSEG "
             "TCP_QUICKACK IP_RECVERR SO_REUSEPORT SO_BINDTODEVICE socketpair recv_fds"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"
everything()
assert all(name in sys.modules for name in ours), "loaded only once"
print(len(ours))
"""


def test_every_module_can_be_imported_where_posix_is_not() -> None:
    blocked = " ".join(name for name in SYSTEM_ONLY if name not in ("msvcrt", "winreg", "winsound"))
    done = subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS, blocked],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(TOP / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


# ---- dependencies


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()


def _project() -> dict[str, list[str]]:
    document = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    project, groups = document["project"], document["dependency-groups"]
    return {"dependencies": project["dependencies"], **groups}


def test_what_is_imported_is_declared_and_the_reverse() -> None:
    """Imports inside functions count too: they fail later, but they fail."""
    roots: set[str] = set()
    for path in sources("src"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                roots.add(node.module.split(".")[0])
    foreign = roots - set(sys.stdlib_module_names) - {"rdpdoctor"}
    owners = packages_distributions()
    foreign -= {"compression"}  # Python's own from 3.14 on
    unknown = {root for root in foreign if root not in owners}
    assert unknown == set(), "imported, but nothing that is installed brings it"
    used = {owners[root][0].lower() for root in foreign} | {"zstandard"}  # by its name, or Python's own
    assert used == {_name(row) for row in _project()["dependencies"]}


@pytest.mark.parametrize("lock", ["run", "build", "test"])
def test_locks_pin_and_hash_everything_and_name_no_index(lock: str) -> None:
    text = (TOP / "requirements" / f"{lock}.txt").read_text("utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert re.search(r"https?:|--(extra-)?index|--find-links|^-", text, flags=re.MULTILINE) is None
    wanted = _project()["dependencies" if lock == "run" else lock]
    names = {_name(entry) for entry in entries}
    assert {_name(row) for row in wanted if isinstance(row, str)} <= names


def test_the_floor_of_the_benchmark_owes_nothing_to_us() -> None:
    assert _top_level(TOP / "bench" / "floor.py") <= set(sys.stdlib_module_names)


# ---- what stands in the tree


def test_no_text_hides_anything() -> None:
    """Control characters and marks that turn the direction of text are not what a screen shows."""
    hidden = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
    assert [name for name, text in texts().items() if hidden.search(text)] == []


def test_no_text_names_a_registry_or_somebodys_machine() -> None:
    hosts = (
        "pypi" + ".org",
        "python" + "hosted.org",
        "registry.npm" + "js",
        "deb." + "debian.org",
        "test." + "pypi",
    )
    paths = re.compile(r"(?<![\w.~-])/(?:root|home|Users|work)/\w")
    found = [
        name for name, text in texts().items() if any(host in text for host in hosts) or paths.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "ARCHITECTURE.md", "README.md"])
def test_pages_name_files_that_are_there(page: str) -> None:
    named = re.findall(r"`((?:src|tests|bench|docs|requirements)/[\w./-]*)`", texts()[page])
    named += re.findall(r"\]\((?!https?:)([\w./-]+)\)", texts()[page])
    assert [name for name in named if not (TOP / name).exists()] == []


def test_the_makefile_has_what_the_pages_promise() -> None:
    targets = set(re.findall(r"^([a-z]+):", texts()["Makefile"], flags=re.MULTILINE))
    pages = "\n".join(texts()[page] for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"))
    promised = set(re.findall(r"(?:^|`)make ([a-z]+)", pages, flags=re.MULTILINE))
    assert {"demo", "test", "lint", "bench"} <= targets
    assert promised <= targets


def test_ci_runs_make_test_and_nothing_else() -> None:
    commands = [
        line for line in texts()[".ci/run"].splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert commands == ["exec make test"]
    if os.name == "posix":
        assert os.access(TOP / ".ci" / "run", os.X_OK)


def test_the_tests_stay_on_this_machine() -> None:
    with socket.socket() as outward, pytest.raises(RuntimeError, match="beyond this machine"):
        outward.connect(("192.0.2.1", 3389))
    with pytest.raises(RuntimeError, match="real resolver"):
        socket.getaddrinfo("example.com", 3389)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


# ---- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked: that is how a pure wheel is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("*-py3-none-any.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }  # fmt: skip

    assert files(wheel / "rdpdoctor") == files(PACKAGE)
    [info] = wheel.glob("rdpdoctor-*.dist-info")
    assert "rdpdoctor = rdpdoctor.cli.main:main" in (info / "entry_points.txt").read_text("utf-8")
    assert "Apache License" in (info / "licenses" / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize("what", ["probes", "causes", "scenarios", "tags"])
def test_the_wheel_knows_what_the_source_knows(wheel: Path, what: str) -> None:
    program = (
        "import sys, rdpdoctor; from rdpdoctor.cli.main import main; "
        "print(rdpdoctor.__file__, flush=True); sys.exit(main(sys.argv[1:]))"
    )
    said = []
    for site in (wheel, TOP / "src"):
        done = subprocess.run(
            [sys.executable, "-c", program, "list", what],
            cwd=site.parent, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": str(site)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        where, _, rest = done.stdout.partition("\n")
        assert Path(where).is_relative_to(site)
        said.append(rest)
    assert said[0] == said[1] != ""
