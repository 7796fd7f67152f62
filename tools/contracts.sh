#!/usr/bin/env bash
# Compiles benches/workloads/contracts into their committed artifacts.
#
#   tools/contracts.sh            regenerate
#   tools/contracts.sh --check    compare; exit 1 if an artifact is stale
#
# Needs Node.js with npm. The compiler (package `solc`, pinned with its hash in tools/contracts/package-lock.json) goes to
# .tools/node; nothing is installed elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "contracts: Node.js with npm is missing; install it (Debian: nodejs npm). The committed artifacts work without it." >&2
    exit 1
fi

node_dir=.tools/node
lock=tools/contracts/package-lock.json
if ! cmp -s "$lock" "$node_dir/package-lock.json" || [ ! -e "$node_dir/installed" ]; then
    echo "contracts: fetching the Solidity compiler into $node_dir"
    mkdir -p "$node_dir"
    rm -f "$node_dir/installed"
    cp tools/contracts/package.json "$lock" "$node_dir/"
    (cd "$node_dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    touch "$node_dir/installed"
fi

NODE_PATH="$PWD/$node_dir/node_modules" node tools/contracts/compile.js benches/workloads/contracts "$@"
