#!/usr/bin/env python3
"""Checks that the crates depend on each other only in the directions of the design.

    tools/layers.py          exit 1 and a line for each dependency that must not be

    abi <- hdl                   the card in rust-hdl
    abi <- driver                queues and transports; knows nothing of the EVM
    abi, driver <- sim           the Verilated card; hdl only when it is built
    abi, driver <- host          the product; sim behind the feature `sim`
    workloads <- host            block generators: a leaf that the command line tool carries
    everything <- benches
    abi, driver, host <- fuzz    targets for what comes from outside; workloads only make its seeds

Declared dependencies are checked in every form; what must not be reached at all is checked through the whole graph.
"""

import json
import subprocess
import sys

ABI, HDL, DRIVER, SIM = "gatewei-abi", "gatewei-hdl", "gatewei-driver", "gatewei-sim"
HOST, WORKLOADS, BENCHES = "gatewei", "gatewei-workloads", "gatewei-benches"
FUZZ = "gatewei-fuzz"

# Workspace crates that each crate may name; tests and build scripts may name more.
NORMAL = {
    ABI: set(),
    HDL: {ABI},
    DRIVER: {ABI},
    SIM: {ABI, DRIVER},
    HOST: {ABI, DRIVER, SIM, WORKLOADS},
    WORKLOADS: set(),
    BENCHES: {ABI, DRIVER, SIM, HOST, WORKLOADS},
    FUZZ: {ABI, DRIVER, HOST},
}
BUILD = {SIM: {HDL}}
TEST = {SIM: {HDL}, FUZZ: {WORKLOADS}}
# Optional or not at all: the product builds without Verilator.
OPTIONAL = {HOST: {SIM}}
# The only outside crates of the binary interface.
ONLY_OUTSIDE = {ABI: {"zerocopy"}}
# Never reached by linking, not even through others.
ASYNC = {"tokio", "async-std", "smol", "async-executor"}
EVM = {"revm", "revm-interpreter", "alloy-evm", "alloy-consensus"}
UNREACHED = {
    ABI: ASYNC | EVM,
    HDL: ASYNC | EVM | {DRIVER, SIM, HOST},
    DRIVER: ASYNC | EVM | {HDL, SIM, HOST},
    SIM: EVM | {HDL, HOST, WORKLOADS, BENCHES},
    HOST: {HDL, BENCHES},
}


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def declared(package, wrong):
    """Checks what a crate's own manifest names."""
    name = package["name"]
    for dependency in package["dependencies"]:
        other, kind = dependency["name"], dependency["kind"] or "normal"
        if other not in NORMAL:
            only = ONLY_OUTSIDE.get(name)
            if kind == "normal" and only is not None and other not in only:
                wrong.append(f"{name} may depend on {', '.join(sorted(only))} alone, not on {other}")
            continue
        allowed = set(NORMAL[name])
        if kind == "build":
            allowed = BUILD.get(name, set())
        elif kind == "dev":
            allowed |= TEST.get(name, set())
        if other not in allowed:
            wrong.append(f"{name} must not depend on {other} ({kind})")
        elif kind == "normal" and other in OPTIONAL.get(name, set()) and not dependency["optional"]:
            wrong.append(f"{name} may depend on {other} only behind a feature")


def linked(nodes, root):
    """Ids of all packages that are linked into `root`: no build scripts, no tests."""
    seen, queue = set(), [root]
    while queue:
        for dependency in nodes[queue.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                queue.append(dependency["pkg"])
    return seen


def main():
    graph = metadata()
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    wrong = []
    for member in graph["workspace_members"]:
        package = packages[member]
        name = package["name"]
        if name not in NORMAL:
            wrong.append(f"{name} has no place in tools/layers.py: say what it may depend on")
            continue
        declared(package, wrong)
        reached = {packages[other]["name"] for other in linked(nodes, member)}
        for other in sorted(reached & UNREACHED.get(name, set())):
            wrong.append(f"{name} must not reach {other}, not even through others")
    for line in wrong:
        print(f"layers: {line}", file=sys.stderr)
    if not wrong:
        print(f"layers: {len(graph['workspace_members'])} crates, every dependency in its direction")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
