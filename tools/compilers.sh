#!/usr/bin/env bash
# Says what is missing to build gatewei with the simulated card, and what to do about it.
set -euo pipefail

missing=0
need() {
    if ! command -v "$1" >/dev/null; then
        echo "tools: $1 is missing: $2" >&2
        missing=1
    fi
}
need cargo "install Rust 1.95 or newer"
need python3 "install Python 3.11 or newer (Debian: python3); it fetches the hardware tools"
need cc "install a C compiler (Debian: gcc)"
need c++ "install a C++ compiler (Debian: g++); the simulated card is C++"
if [ "$missing" = 1 ]; then
    echo "tools: with Rust and a C compiler alone, the CPU executors run: cargo run --release -- demo" >&2
    exit 1
fi
