#!/usr/bin/env bash
# All checks that do not run the product. Every check runs, also after a failure; exit 1 if one failed.
set -uo pipefail
cd "$(dirname "$0")/.."
unset CARGO_TARGET_DIR
flags=(--release --locked --target-dir target)
failed=()

check() {
    local name=$1
    shift
    echo "lint: $name"
    if ! "$@"; then
        echo "lint: $name FAILED" >&2
        failed+=("$name")
    fi
}

check "format" cargo fmt --all --check
# With the profile and features of `make test`: build scripts and their C and C++ are shared with it.
check "clippy" cargo clippy "${flags[@]}" --workspace --all-targets --features gatewei/sim -- -D warnings
check "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc "${flags[@]}" --workspace --no-deps --features gatewei/sim
check "layers" tools/layers.py
check "licences" tools/licences.py
check "register reference" cargo run "${flags[@]}" --quiet -p gatewei-hdl -- docs --check
check "Verilog of every block" cargo run "${flags[@]}" --quiet -p gatewei-hdl -- lint
if command -v npm >/dev/null; then
    check "contracts" tools/contracts.sh --check
else
    echo "lint: contracts are compared by their source hash only (in the tests): npm is not installed"
fi

if [ ${#failed[@]} -gt 0 ]; then
    echo "lint: failed: ${failed[*]}" >&2
    exit 1
fi
echo "lint: all checks passed"
