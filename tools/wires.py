#!/usr/bin/env python3
"""Where the wires of a placed ECP5 design are: how long its nets are, and what they belong to.

    tools/wires.py PLACED.json [--depth N] [--most N]

PLACED.json is what `nextpnr-ecp5 … --no-route --write PLACED.json` writes. A net's length is half the perimeter of the
box around its pins, in tiles; no net is weighed by its pins. A net without a name of its own, of which synthesis makes many,
belongs to what most of its neighbours belong to. Names count to the depth given: `u_card.u_lane_0.u_arith` are three.
"""

import argparse
import collections
import json
import re
import sys

# Rounds in which names spread to the nets that have none.
ROUNDS = 6
# Upper bounds of the classes of length.
CLASSES = (10, 20, 30, 60, sys.maxsize)


class Netlist:
    """A placed design: drivers and sinks of its nets, and the names that they have."""

    def __init__(self, module):
        self.driver, self.sinks, self.name = {}, collections.defaultdict(list), {}
        self.into, self.out_of = collections.defaultdict(list), collections.defaultdict(list)
        for name, net in module["netnames"].items():
            for bit in net["bits"]:
                if isinstance(bit, int) and "$" not in name:
                    self.name[bit] = min(name, self.name.get(bit, name), key=len)
        for cell, data in module["cells"].items():
            place = re.match(r"X(\d+)/Y(\d+)/", data["attributes"].get("NEXTPNR_BEL", ""))
            if not place:
                continue
            at = (int(place[1]), int(place[2]))
            for port, bits in data["connections"].items():
                drives = data["port_directions"][port] == "output"
                for bit in bits:
                    if drives:
                        self.driver[bit] = (cell, at)
                        self.out_of[cell].append(bit)
                    else:
                        self.sinks[bit].append((cell, at))
                        self.into[cell].append(bit)

    def lengths(self):
        """(net, tiles) of every net that goes anywhere."""
        for net, (_, at) in self.driver.items():
            if net in self.sinks:
                xs, ys = zip(at, *(place for _, place in self.sinks[net]))
                yield net, max(xs) - min(xs) + max(ys) - min(ys)

    def owners(self, depth):
        """What each net belongs to."""
        owner = {net: ".".join(re.sub(r"\[\d+\]", "", name).split(".")[:depth]) for net, name in self.name.items()}
        for _ in range(ROUNDS):
            found = {}
            for net in self.driver.keys() - owner.keys():
                near = list(self.into[self.driver[net][0]])
                for cell, _ in self.sinks[net]:
                    near += self.out_of[cell]
                votes = collections.Counter(owner[other] for other in near if other in owner)
                if votes:
                    found[net] = min(votes, key=lambda name: (-votes[name], name))
            owner |= found
        return owner


def read(path):
    """The top module of a file of nextpnr's."""
    try:
        with open(path, encoding="utf-8") as file:
            modules = json.load(file)["modules"].values()
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"wires: {path}: {error!r}; it is written by nextpnr-ecp5 with --write")
    return Netlist(next(module for module in modules if "top" in module["attributes"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("placed")
    parser.add_argument("--depth", type=int, default=4, help="parts of a name that count (4)")
    parser.add_argument("--most", type=int, default=30, help="rows of the second table (30)")
    options = parser.parse_args()
    netlist = read(options.placed)
    lengths = dict(netlist.lengths())
    total = sum(lengths.values())
    if not total:
        sys.exit(f"wires: {options.placed} is not placed: its cells have no NEXTPNR_BEL")
    print(f"{len(lengths)} nets, {total} tiles")
    print(f"\n{'tiles':>12} {'nets':>8} {'length':>8}  share")
    least = 0
    for most in CLASSES:
        these = [tiles for tiles in lengths.values() if least <= tiles < most]
        label = f"{least} and more" if most == sys.maxsize else f"{least} to {most - 1}"
        print(f"{label:>12} {len(these):>8} {sum(these):>8} {100 * sum(these) / total:>5.1f}%")
        least = most
    owners, length, count = netlist.owners(options.depth), collections.Counter(), collections.Counter()
    for net, tiles in lengths.items():
        owner = owners.get(net, "?")
        length[owner] += tiles
        count[owner] += 1
    print(f"\n{'length':>8} {'nets':>8} {'mean':>6}  belongs to")
    for owner, tiles in length.most_common(options.most):
        print(f"{tiles:>8} {count[owner]:>8} {tiles / count[owner]:>6.1f}  {owner}")


if __name__ == "__main__":
    main()
