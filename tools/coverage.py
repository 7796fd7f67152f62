#!/usr/bin/env python3
"""Line and toggle coverage of the card's blocks, from what the models of a run have written.

    tools/coverage.py FOLDER [--missing N]

FOLDER holds the `*.dat` files of models that were built with the feature `coverage`. A point counts as covered where any
model covered it: in the card or in a block on its own. Points that cannot be covered stand in hdl/coverage.json, each
with its reason. Exit status 1 below the goals, or where more than 2 % of the points are excluded.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HDL = ROOT / "target" / "release" / "gatewei-hdl"
VERILOG = ROOT / ".build" / "coverage-verilog"
EXCLUSIONS = ROOT / "hdl" / "coverage.json"
# Share of points, in percent; of the groups below.
GOALS = {"line": 95.0, "toggle": 90.0}
EXCLUDED = 2.0
# The queue's points are those of the block that its tests drive, with two pairs and two lanes: more than the card's.
GROUPS = {"lane": ("card", "card.lane_0"), "queue": ("shell", "shell.queue"), "keccak": ("card", "card.pool")}


class Module:
    """A module of an emitted file: where it stands, and a name that it has in every file."""

    def __init__(self, path, name, first, lines):
        self.path, self.name, self.first = path, name, first
        # Without its name, which the field that holds it gives it.
        text = "\n".join(lines[1:])
        self.key = hashlib.sha256(text.encode()).hexdigest()


def modules(block, cache={}):
    """The modules of a block's emitted file, by first line."""
    if block not in cache:
        subprocess.run([HDL, "emit", block, "--out", VERILOG], check=True, stdout=subprocess.DEVNULL)
        lines = (VERILOG / f"{block}.v").read_text().splitlines()
        found, path, first = [], "", 0
        for number, line in enumerate(lines, 1):
            if match := re.match(r"// Rust block (?:at )?(.*)\.$", line):
                path = match.group(1)
            elif match := re.match(r"module (\w+) \(", line):
                name, first = match.group(1), number
            elif line == "endmodule":
                found.append(Module(path, name, first, lines[first - 1 : number]))
        cache[block] = found
    return cache[block]


def points(paths):
    """(block, line, kind, what, count) of files of Verilator's; each point once, however many models have it."""
    sums = collections.Counter()
    for path in paths:
        with path.open(errors="replace") as lines:
            for line in lines:
                if line.startswith("C '"):
                    keys, _, count = line.rpartition("' ")
                    sums[keys] += int(count)
    for keys, count in sums.items():
        fields = dict(field.split("\x02", 1) for field in keys[3:].split("\x01") if "\x02" in field)
        kind = fields["page"].split("/")[0].removeprefix("v_")
        kind = "toggle" if kind == "toggle" else "line"
        yield pathlib.Path(fields["f"]).stem, int(fields["l"]), kind, fields.get("o", "") + "@" + fields.get("n", ""), count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--missing", type=int, default=0, metavar="N", help="name N points of each module that are not covered")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.dat"))
    if not files:
        sys.exit(f"coverage: no *.dat in {arguments.folder}; `make coverage` makes them")
    rules = json.loads(EXCLUSIONS.read_text())
    # Not the tops of boards: all that is the card's in them is in the card.
    known = set(subprocess.run([HDL, "list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split())
    models = {file: file.name.rsplit("-", 2)[0] for file in files}
    for top in sorted(set(models.values()) - known):
        print(f"coverage: {top} is left out: it is no block of `gatewei-hdl list`", file=sys.stderr)
    counts = collections.Counter()
    where = {}
    for block, line, kind, what, count in points(file for file, model in models.items() if model in known):
        module = next((m for m in reversed(modules(block)) if m.first <= line), None)
        if module is None:
            continue
        key = (module.key, line - module.first, kind, what)
        counts[key] += count
        group = next((g for g, (of, prefix) in GROUPS.items() if of == block and module.path.startswith(prefix)), None)
        if group is not None:
            where[key] = (group, module, f"{block}.v:{line}")
    table = collections.defaultdict(lambda: {"line": [0, 0], "toggle": [0, 0]})
    excluded, missing, used = 0, collections.defaultdict(list), set()
    for key, (group, module, place) in where.items():
        _, _, kind, what = key
        hit = counts[key] > 0
        rule = next((n for n, r in enumerate(rules) if re.fullmatch(r["module"], module.name)
                     and r["kind"] == kind and re.search(r["points"], what)), None)
        if rule is not None and not hit:
            excluded += 1
            used.add(rule)
            continue
        for row in ((group, module.name), (group, "")):
            table[row][kind][0] += hit
            table[row][kind][1] += 1
        if not hit:
            missing[module.name].append(f"{kind} {what} ({place})")

    total = sum(row[kind][1] for (_, name), row in table.items() if not name for kind in GOALS) + excluded
    bad = excluded * 100 > EXCLUDED * total
    print(f"{'block':<24} {'lines':>14} {'':>6} {'toggles':>16}")
    for (group, name), row in sorted(table.items()):
        cells = []
        for kind, goal in GOALS.items():
            hit, all_ = row[kind]
            share = 100 * hit / all_ if all_ else 100.0
            bad |= not name and share < goal
            cells.append(f"{hit:>7}/{all_:<7} {share:>5.1f}%")
        print(f"{group + ('.' + name if name else ''):<24} {cells[0]} {cells[1]}")
    print(f"excluded: {excluded} of {total} points ({100 * excluded / max(1, total):.2f} %), hdl/coverage.json")
    for n, rule in enumerate(rules):
        if n not in used:
            print(f"stale: the exclusion of {rule['points']} in {rule['module']} excludes nothing")
            bad = True
    for name, names in sorted(missing.items()):
        for text in names[: arguments.missing]:
            print(f"not covered in {name}: {text}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
