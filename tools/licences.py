#!/usr/bin/env python3
"""Checks that every crate in the build has a licence that deny.toml allows.

    tools/licences.py        exit 1 and a line for each crate whose licence is not allowed

The same rule as `cargo deny check licenses`, without having to build that tool: reads the SPDX expression of each crate
that is built for this platform.
"""

import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def crates():
    """(crate with version, licence) of everything that is built for this platform, tests included."""
    command = ["cargo", "tree", "--workspace", "--all-features", "--locked", "--prefix", "none", "--format", "{p}|{l}"]
    lines = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    parts = (line.removesuffix(" (*)").split("|") for line in lines if line)
    return sorted({(" ".join(crate.split()[:2]), licence) for crate, licence in parts})


def allowed(expression, licences):
    """Evaluates an SPDX expression; `/` is the old way to write OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def alternatives():
        value = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value |= conjunction()
        return value

    def conjunction():
        value = single()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value &= single()
        return value

    def single():
        token = tokens.pop(0)
        if token == "(":
            value = alternatives()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            token = f"{token} {tokens.pop(0)} {tokens.pop(0)}"
        return token in licences

    return alternatives()


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]
    licences = set(rules["allow"])
    exceptions = {rule["crate"]: set(rule["allow"]) for rule in rules.get("exceptions", [])}
    packages = crates()
    wrong = []
    for crate, expression in packages:
        name = crate.split()[0]
        if not expression:
            wrong.append(f"{crate} states no licence")
        elif not allowed(expression, licences | exceptions.get(name, set())):
            wrong.append(f"{crate}: {expression} is not allowed by deny.toml")
    for line in wrong:
        print(f"licences: {line}", file=sys.stderr)
    if not wrong:
        print(f"licences: {len(packages)} crates, all allowed by deny.toml")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
