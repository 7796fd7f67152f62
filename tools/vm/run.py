#!/usr/bin/env python3
"""The guest test: an unmodified kernel sees the simulated card as a PCI function and executes a real block on it.

    tools/vm/run.py --gatewei PROGRAM --edu PROGRAM --block DIRECTORY

On the host PROGRAM serves the card (`gatewei card serve`); in the guest the same PROGRAM drives it, so it has to be
linked statically. The guest's first process is tools/vm/init. Everything else is in .tools/vm (tools/fetch.py vm). Exit
status 1 if a step of the guest failed, was not reached, or took too long; the guest's console is in .build/vm/console then.
"""

import argparse
import json
import lzma
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VM = ROOT / ".tools" / "vm"
BUILD = ROOT / ".build" / "vm"
INIT = ROOT / "tools" / "vm" / "init"
CARD, EDU = "0000:00:05.0", "0000:00:06.0"
# Steps that the guest must have gone through, in its order.
STEPS = ["modules", "listed", "sysfs", "refused", "bind-card", "bind-edu", "info", "selftest", "reset", "one-owner"]
STEPS += ["edu", "block", "queues", "killed", "terminated", "unplug", "replug"]
# Lanes of the card: each with a queue pair and an interrupt vector.
LANES = 2
# Memory of the guest, and how many of its pages of 2 MiB are set aside for DMA.
MEMORY, HUGE_PAGES = "768M", 64
# Seconds for the socket, and for the guest with all its steps. It needs some 30 on an idle machine.
SOCKET_TIME, GUEST_TIME = 20, 600
DRIVERS = ["vfio-pci", "vfio_iommu_type1"]


class Failure(Exception):
    """What went wrong."""


# --- the guest's files -----------------------------------------------------------------------------------------------


def module_files():
    """The drivers and what they depend on, dependencies first: name and contents."""
    found = {}
    for path in (VM / "modules" / "kernel").rglob("*.ko*"):
        found[path.name.split(".ko")[0].replace("-", "_")] = path
    order = []

    def add(name):
        path = found.get(name.replace("-", "_"))
        if path is None or any(path.name.startswith(done + ".") for done, _ in order):
            return
        data = path.read_bytes()
        data = lzma.decompress(data) if path.suffix == ".xz" else data
        depends = data.split(b"\0depends=", 1)[1].split(b"\0", 1)[0].decode()
        for other in filter(None, depends.split(",")):
            add(other)
        order.append((path.name.split(".ko")[0], data))

    for driver in DRIVERS:
        add(driver)
    return [(f"{name}.ko", data) for name, data in order]


def archive(entries):
    """An initramfs: a cpio archive of format newc. Entries are name, mode, contents, device number."""
    out = bytearray()

    def pad():
        out.extend(b"\0" * (-len(out) % 4))

    for inode, (name, mode, data, (major, minor)) in enumerate(entries + [("TRAILER!!!", 0, b"", (0, 0))], 1):
        name = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name), 0)
        out.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        pad()
        out.extend(data)
        pad()
    return bytes(out)


def initramfs(arguments):
    block = arguments.block
    programs = {
        "init": INIT,
        "bin/busybox": VM / "root" / "usr" / "bin" / "busybox",
        "gatewei": arguments.gatewei,
        "edu": arguments.edu,
    }
    files = {name: (0o100755, path.read_bytes()) for name, path in programs.items()}
    for path in sorted(block.glob("*.json")):
        files[f"blocks/{block.name}/{path.name}"] = (0o100644, path.read_bytes())
    modules = module_files()
    files |= {f"modules/{name}": (0o100644, data) for name, data in modules}
    files["modules/order"] = (0o100644, "".join(f"{name}\n" for name, _ in modules).encode())
    # Folders come before what is in them.
    folders = {str(parent) for name in files for parent in pathlib.PurePath(name).parents} - {"."}
    folders |= {"dev", "proc", "sys"}
    entries = [(name, 0o040755, b"", (0, 0)) for name in sorted(folders)]
    entries.append(("dev/console", 0o020600, b"", (5, 1)))
    entries += [(name, mode, data, (0, 0)) for name, (mode, data) in files.items()]
    return archive(entries)


# --- host and guest --------------------------------------------------------------------------------------------------


def qemu(socket, block):
    """The command. The virtual IOMMU needs caching-mode, or QEMU ends with the first mapping."""
    root = VM / "root" / "usr"
    own = ":".join(str(path) for path in (root / "lib" / "x86_64-linux-gnu", root / "lib"))
    device = {
        "driver": "vfio-user-pci",
        "socket": {"type": "unix", "path": str(socket)},
        "addr": "05.0",
        "bus": "pcie.0",
    }
    # On a busy host the emulated timer is too slow for the kernel's check of it.
    words = "console=ttyS0 quiet panic=-1 no_timer_check intel_iommu=on"
    words += f" hugepages={HUGE_PAGES} card={CARD} edu={EDU} block={block}"
    return [
        str(root / "lib64" / "ld-linux-x86-64.so.2"),
        *("--library-path", own),
        str(root / "bin" / "qemu-system-x86_64"),
        *("-L", str(root / "share" / "qemu"), "-L", str(root / "share" / "seabios")),
        *("-accel", "tcg", "-machine", "q35,kernel-irqchip=split,memory-backend=memory"),
        *("-cpu", "max", "-m", MEMORY, "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"),
        *("-object", f"memory-backend-memfd,id=memory,size={MEMORY},share=on"),
        *("-device", "intel-iommu,intremap=on,caching-mode=on"),
        *("-device", json.dumps(device)),
        *("-device", "edu,addr=06.0,bus=pcie.0,dma_mask=0xffffffff"),
        *("-kernel", str(VM / "vmlinuz"), "-initrd", str(BUILD / "initramfs"), "-append", words),
    ]


def end(process):
    """Ends a process that this test started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def guest(arguments, console):
    """Serves the card, boots the guest, and waits for its end."""
    socket = BUILD / "card.sock"
    card = subprocess.Popen([arguments.gatewei, "card", "serve", "--socket", socket, "--lanes", str(LANES)])
    try:
        deadline = time.monotonic() + SOCKET_TIME
        while not socket.exists():
            if card.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{arguments.gatewei} card serve: no socket within {SOCKET_TIME} s")
            time.sleep(0.05)
        command = qemu(socket, arguments.block.name)
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        try:
            machine.wait(GUEST_TIME)
        except subprocess.TimeoutExpired:
            raise Failure(f"the guest is not done after {GUEST_TIME} s") from None
        finally:
            end(machine)
        if card.poll() is not None:
            raise Failure(f"the card's server ended with status {card.returncode} before the guest did")
    finally:
        end(card)


def judge(text):
    """Looks at what the guest said. Returns the block's row of the run with one queue pair."""
    lines = [line.strip() for line in text.splitlines()]
    ended = [line.removeprefix("vm: ") for line in lines if line.startswith("vm: ")]
    wrong = [line for line in ended if line.startswith("failed")]
    missing = [step for step in STEPS if f"ok {step}" not in ended and not any(step in line for line in wrong)]
    if wrong or missing or ended[-1] != "done":
        raise Failure("; ".join(wrong + [f"{step} was not reached" for step in missing] or ["it was not done"]))
    rows = [json.loads(line) for line in lines if line.startswith('{"block"')]
    if len(rows) != 2:
        raise Failure(f"the block's rows, of one queue pair and of two, are not what the guest said: {len(rows)} rows")
    for row in rows:
        false = [name for name, holds in row["checks"].items() if holds is False]
        if false or row["card"]["txs"] == 0 or row["card"]["fallbacks"]:
            raise Failure(f"block {row['block']}: false checks {false}, card {row['card']}")
    return rows[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("gatewei", "edu", "block"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / "console"
    began = time.monotonic()
    try:
        if not (arguments.block / "block.json").is_file():
            raise Failure(f"{arguments.block} has no block.json: set GATEWEI_DATA to the folder with mainnet.tar.xz")
        (BUILD / "initramfs").write_bytes(initramfs(arguments))
        with open(path, "wb") as console:
            guest(arguments, console)
        row = judge(path.read_text(errors="replace"))
    except (Failure, OSError) as error:
        tail = path.read_text(errors="replace").splitlines()[-30:] if path.is_file() else []
        print("\n".join(tail), file=sys.stderr)
        print(f"vm-test: FAILED: {error} (console: {path.relative_to(ROOT)})", file=sys.stderr)
        return 1
    card = row["card"]
    print(
        f"vm-test: {len(STEPS)} steps passed in {time.monotonic() - began:.0f} s; block {row['block']}: every check holds, "
        f"{card['txs']} of {row['txs']} transactions on the card through /dev/vfio, {card['cycles']:,} cycles"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
