"""Builds the Debian packages: tillbox with every library in it, tillbox-box and tillbox-core around it.

    .venv/bin/python deploy/debian/build.py --out dist          (make deb)

They are for the machine's own architecture and its own Python, so a package for a Pi is built on a Pi. What is in them
is what lies beside this file, `root/` as it will lie on the machine, and the wheels of the lock, checked by their hashes.
Only plain `dpkg-deb` is needed. What was fetched and compiled is kept under var/deb and used again while the lock and
Python are the same.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.utils import formatdate
from importlib.metadata import version
from pathlib import Path

from needed import lines_of, needed

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / "var/deb"
PACKAGES = ("tillbox", "tillbox-box", "tillbox-core")
PYTHON = Path("/usr/bin/python3")
"""The machine's own: a package cannot depend on any other."""
HOME = Path("usr/lib/tillbox")
LEVEL = 3
"""A tenth larger than the default makes it, and sooner done."""
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")

LAUNCHER = """\
#!/usr/lib/tillbox/bin/python -I
from tillbox.main import main

main()
"""
COPYRIGHT = """\
Copyright (C) 2026 the Tillbox maintainers

Each Python package in /usr/lib/tillbox has its own licence, beside it in its .dist-info.
"""
CHANGELOG = """\
{name} ({number}) stable; urgency=medium

  * What is new is in /usr/share/doc/tillbox/CHANGELOG.md.gz.

 -- Tillbox maintainers <maintainers@tillbox.example>  {when}
"""


def main() -> None:
    """Read the command line, build, and say what came out."""
    ask = argparse.ArgumentParser(description="Build the Debian packages for this machine's architecture.")
    ask.add_argument("--version", default=version("tillbox"), help="their version; the project's by default")
    ask.add_argument("--out", type=Path, default=ROOT / "dist", help="where they go; dist by default")
    ask.add_argument(
        "--compression",
        default="xz",
        choices=("xz", "none"),
        help="xz is small, none is quick; xz by default",
    )
    told = ask.parse_args()
    if _python_version() != ".".join(map(str, sys.version_info[:2])):
        sys.exit(
            f"build: this environment's Python is not {PYTHON}'s {_python_version()}; make .venv with that one"
        )
    told.out.mkdir(parents=True, exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    lock = (CACHE / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would pack each other's files
    for name in PACKAGES:
        print(build(name, told.version, told.out, told.compression))


def build(name: str, number: str, out: Path, compression: str) -> Path:
    """One package, from an empty folder."""
    tree = CACHE / "tree" / name
    shutil.rmtree(tree, ignore_errors=True)
    if (HERE / name / "root").is_dir():
        shutil.copytree(HERE / name / "root", tree)
    {"tillbox": _program, "tillbox-core": _access_list}.get(name, lambda _: None)(tree)
    _papers(tree, name, number)
    _settle(tree)
    _control(tree, name, number)
    architecture = "all" if "Architecture: all" in (HERE / name / "control").read_text() else _architecture()
    package = out / f"{name}_{number}_{architecture}.deb"
    _run(
        "dpkg-deb",
        "--root-owner-group",
        f"-Z{compression}",
        f"-z{LEVEL}",
        "--build",
        tree,
        package,
        quiet=True,
    )
    return package


def _program(tree: Path) -> None:
    """The virtual environment at /usr/lib/tillbox, and the command."""
    home, python = tree / HOME, _python_version()
    site = home / f"lib/python{python}/site-packages"
    site.parent.mkdir(parents=True)
    # Links instead of copies: opencv alone is a hundred megabytes.
    _run("cp", "-al", _site(), site)
    _own_wheel(site)
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(f"../../../bin/python{python}")
    (home / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n"
    )
    (home / "bin/tillbox").write_text(LAUNCHER)
    (home / "bin/tillbox").chmod(0o755)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tillbox").symlink_to("../lib/tillbox/bin/tillbox")


def _site() -> Path:
    """Every library that the field needs, checked, unpacked and compiled."""
    lock = lines_of(ROOT / "requirements.lock", needed())
    key = hashlib.sha256(f"{lock}{_python_version()}{_architecture()}".encode()).hexdigest()[:12]
    site, part, wheels = (CACHE / f"{what}-{key}" for what in ("site", "part", "wheels"))
    if site.is_dir():
        return site
    wheels.mkdir(parents=True, exist_ok=True)
    (wheels / "lock").write_text(lock)
    # No source packages: a machine in the field has no compiler, and what was compiled here would be nobody's wheel.
    pip = ("-m", "pip", "--disable-pip-version-check")
    only = ("--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", wheels / "lock")
    _run(sys.executable, *pip, "download", *only, "--dest", wheels)
    shutil.rmtree(part, ignore_errors=True)
    _run(
        sys.executable, *pip, "install", *only, "--no-index", "--find-links", wheels, "--no-compile",
        "--target", part,
    )  # fmt: skip
    shutil.rmtree(part / "bin", ignore_errors=True)  # commands of libraries, with this folder's name in them
    _compile(part)
    return part.rename(site)


def _own_wheel(site: Path) -> None:
    folder = CACHE / "own"
    shutil.rmtree(folder, ignore_errors=True)
    pip = ("-m", "pip", "--disable-pip-version-check")
    _run(sys.executable, *pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    # A wheel of pure Python is a zip of what is to lie there.
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    _compile(folder / "site")
    for one in (folder / "site").iterdir():
        shutil.move(one, site / one.name)


def _compile(folder: Path) -> None:
    """Bytecode that is never looked at against its source: the service cannot write it, and every start would compile
    anew. The names in tracebacks are those on the machine."""
    at = f"/{HOME}/lib/python{_python_version()}/site-packages"
    _run(
        PYTHON, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", folder, "-p", at,
        folder, quiet=True,
    )  # fmt: skip


def _access_list(tree: Path) -> None:
    (tree / "usr/share/tillbox").mkdir(parents=True)
    shutil.copy(ROOT / "broker/mosquitto/acl", tree / "usr/share/tillbox/acl")
    shutil.copy(ROOT / "broker/mosquitto/acl_claims", tree / "usr/share/tillbox/acl_claims")


def _papers(tree: Path, name: str, number: str) -> None:
    folder = tree / "usr/share/doc" / name
    folder.mkdir(parents=True)
    (folder / "copyright").write_text(COPYRIGHT)
    if name == "tillbox":
        shutil.copy(ROOT / "docs/install.md", folder)
        shutil.copy(ROOT / "CHANGELOG.md", folder)
        _run("gzip", "-9n", folder / "CHANGELOG.md")
    when = formatdate(int(_committed_s()))
    (folder / "changelog").write_text(CHANGELOG.format(name=name, number=number, when=when))
    _run("gzip", "-9n", folder / "changelog")
    overrides = HERE / name / "lintian-overrides"
    if overrides.is_file():
        (tree / "usr/share/lintian/overrides").mkdir(parents=True)
        shutil.copy(overrides, tree / "usr/share/lintian/overrides" / name)


def _control(tree: Path, name: str, number: str) -> None:
    """What dpkg is told: the control file, the scripts, the files that belong to the engineer, and their sums."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    control = tree / "DEBIAN"
    control.mkdir()
    major, minor = map(int, _python_version().split("."))
    told = {
        "VERSION": number,
        "ARCHITECTURE": _architecture(),
        "INSTALLED_SIZE": str(sum(path.stat().st_size for path in files) // 1_024),
        # Compiled libraries are for one Python, and not for the next.
        "PYTHON": f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1})",
    }
    text = re.sub("@([A-Z_]+)@", lambda found: told[found[1]], (HERE / name / "control").read_text())
    (control / "control").write_text(text)
    for script in SCRIPTS:
        if (HERE / name / script).is_file():
            shutil.copy(HERE / name / script, control / script)
            (control / script).chmod(0o755)
    own = [f"/{path.relative_to(tree)}\n" for path in files if path.is_relative_to(tree / "etc")]
    if own:
        (control / "conffiles").write_text("".join(own))
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]
    (control / "md5sums").write_text("".join(sums))


def _settle(tree: Path) -> None:
    """Everybody reads, whatever the builder's umask says; and every file bears the last commit's time, whenever it was
    fetched or unpacked, so that the same commit gives the same package."""
    committed_s = int(_committed_s())
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            os.utime(path, (committed_s, committed_s))


def _python_version() -> str:
    said = subprocess.run(
        [PYTHON, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return said.stdout.strip()


def _architecture() -> str:
    said = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def _committed_s() -> str:
    said = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "0"


def _run(*command: object, quiet: bool = False) -> None:
    """Run a program; what it packs is not younger than the last commit."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _committed_s()}
    out = subprocess.DEVNULL if quiet else None
    subprocess.run([str(part) for part in command], check=True, env=environment, stdout=out)


if __name__ == "__main__":
    main()
