# The same few verbs for everybody. `make` alone lists them.
#
# Everything that is fetched goes to .tools/, everything that is made to target/ and .build/; no root is needed.
# The verbs always build into target/, whatever CARGO_TARGET_DIR says, so that the command is where the text says it is.

SHELL := bash
.DELETE_ON_ERROR:

unexport CARGO_TARGET_DIR
CARGO := cargo
# One profile and one set of features for all verbs: what one has compiled the next one finds.
FLAGS := --release --locked --target-dir target
CARD := --features gatewei/sim
GATEWEI := target/release/gatewei
HDL := target/release/gatewei-hdl

# Arguments of the verbs: make demo TXS=1000 SEED=7
TXS ?= 400
SEED ?= 1
N ?= 20000
FUZZ ?= 60
MUTANTS ?= 1000

.PHONY: help
help: ## list the verbs
	@echo "gatewei: EVM execution on CPU threads and FPGA lanes. Verbs:"
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: compilers
compilers:
	@tools/compilers.sh

.PHONY: tools
tools: compilers ## fetch what simulates the card (Verilator) into .tools/
	@python3 tools/fetch.py verilator

.PHONY: build
build: tools ## build the command with the simulated card: target/release/gatewei
	@echo "build: the hardware is emitted as Verilog, verilated and compiled with the command"
	$(CARGO) build $(FLAGS) -p gatewei $(CARD)

.PHONY: demo
demo: build ## run a mixed block on all executors and compare (TXS=, SEED=)
	$(GATEWEI) demo --txs $(TXS) --seed $(SEED) --card sim

.PHONY: test
test: tools ## run all tests, card included
	@python3 tools/fetch.py yosys
	$(CARGO) test $(FLAGS) --workspace $(CARD) --no-fail-fast

# A real block that is small: 28 transactions, 1.3 Mgas.
VM_BLOCK ?= 22188088
# What links a program with all its libraries. Only the last step differs, so that all else is built once.
STATIC := -C target-feature=+crt-static -C relocation-model=static
DATA := $(or $(GATEWEI_DATA),../shared/data)

.PHONY: vm-test
vm-test: tools ## boot a guest that executes a real block on the card through /dev/vfio (VM_BLOCK=)
	@test -f $(DATA)/mainnet.tar.xz || { echo "vm-test: no $(DATA)/mainnet.tar.xz: set GATEWEI_DATA to its folder" >&2; exit 1; }
	@python3 tools/fetch.py vm
	@mkdir -p .build/vm
	@echo "vm-test: the guest has no libraries: its programs are linked with theirs"
	$(CARGO) rustc $(FLAGS) -p gatewei $(CARD) --bin gatewei -- $(STATIC)
	cp $(GATEWEI) .build/vm/gatewei
	$(CARGO) rustc $(FLAGS) -p gatewei-driver --example edu -- $(STATIC)
	cp target/release/examples/edu .build/vm/edu
	tar xJf $(DATA)/mainnet.tar.xz -C .build/vm mainnet/$(VM_BLOCK)
	tools/vm/run.py --gatewei .build/vm/gatewei --edu .build/vm/edu --block .build/vm/mainnet/$(VM_BLOCK)

# What lockstep has compared so far, and how long a sitting of it takes.
LEDGER := host/lockstep.json
MINUTES ?= 10
COMMIT = $(shell git rev-parse --short HEAD 2>/dev/null)

.PHONY: lockstep
lockstep: build ## compare random programs with revm for MINUTES= (JOBS= cards at a time) and add them to host/lockstep.json
	$(GATEWEI) lockstep --minutes $(MINUTES) --ledger $(LEDGER) --commit "$(COMMIT)" $(if $(JOBS),--jobs $(JOBS))

.PHONY: soak
soak: build ## run the long tests: all public state tests on the card, N= random programs from SEED= on in lockstep, FUZZ= seconds a fuzz target
	$(CARGO) test $(FLAGS) --workspace $(CARD) --no-fail-fast -- --ignored --nocapture
	$(GATEWEI) lockstep --programs $(N) --seed $(SEED) --commit "$(COMMIT)" $(if $(JOBS),--jobs $(JOBS))
	GATEWEI_FUZZ=$(FUZZ) GATEWEI_SEED=$(SEED) $(CARGO) test $(FLAGS) --workspace $(CARD) --test corpora -- --nocapture

.PHONY: formal
formal: tools ## prove queues, rings, arbiter, gas and stack pointer, and refute their defects (hdl/formal)
	@python3 tools/fetch.py yosys z3
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	@tools/prove.py

# A test that fails must not cost what the others have counted.
COUNTING := $(CARGO) test --release --locked --target-dir target/coverage --no-fail-fast

.PHONY: coverage
coverage: tools ## line and toggle coverage of lane, queue and Keccak by the card's tests; fails below the goals
	@echo "coverage: these models count, which costs them speed: they are built apart, in target/coverage"
	@rm -rf .build/coverage && mkdir -p .build/coverage
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	@echo "coverage: a test that fails does not end it, but fails it"
	failed=0; export COVERAGE=$(CURDIR)/.build/coverage; \
	$(COUNTING) -p gatewei-sim --features coverage || failed=1; \
	$(COUNTING) -p gatewei --features gatewei/coverage --test lockstep --test card || failed=1; \
	tools/coverage.py .build/coverage || failed=1; exit $$failed

.PHONY: mutants
mutants: tools ## break the emitted blocks in MUTANTS= ways (SEED=) and count what their tests notice
	@python3 tools/fetch.py yosys
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	@tools/mutants.py --mutants $(MUTANTS) --seed $(SEED)

.PHONY: lint
lint: tools ## check format, lints, docs, layers, licences, contracts and the Verilog of every block
	@tools/lint.sh

.PHONY: model-check
model-check: tools ## compare the model of a card with whole simulated cards of 1, 2 and 4 lanes
	@echo "model-check: the card of four lanes is verilated and compiled first: some minutes"
	$(CARGO) test $(FLAGS) -p gatewei --features gatewei/lanes4 --test model -- --nocapture

.PHONY: contracts
contracts: ## compile the workloads' contracts into their committed artifacts
	@tools/contracts.sh

.PHONY: bench
bench: tools ## run the criterion benches
	$(CARGO) bench --locked --target-dir target -p gatewei-benches

# Samples of every block: more make the intervals narrower.
REPEAT ?= 9

.PHONY: bench-host
bench-host: ## measure the CPU engine against its targets (REPEAT=, ONLY=); fails if one is missed
	$(CARGO) build $(FLAGS) -p gatewei
	$(GATEWEI) bench-host $(DATA)/mainnet.tar.xz --repeat $(REPEAT) $(if $(ONLY),--only "$(ONLY)")

.PHONY: wave
wave: tools ## record the card's signals while it runs a small block: .build/wave.fst
	@echo "wave: this card records, which costs it speed: it is built apart, in target/wave"
	@mkdir -p .build
	$(CARGO) build --release --locked --target-dir target/wave -p gatewei --features gatewei/wave
	target/wave/release/gatewei workload erc20-hot --txs 4 --seed $(SEED) --out .build/wave-block
	WAVE=$(CURDIR)/.build/wave.fst target/wave/release/gatewei run .build/wave-block --executor card --card sim
	@echo "wave: .build/wave.fst (open it with GTKWave or Surfer)"

.PHONY: synth
synth: tools ## map every block to Lattice ECP5 cells and print the figures
	@python3 tools/fetch.py yosys
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	$(HDL) synth --family ecp5

# The lane's parts, and the Keccak engines.
PARTS := alu shift arith expand gas_cost data_store code_store stack slots keccak keccak_fast keccak_pipe shell
FAMILIES ?= ecp5 xcup

.PHONY: area area-parts
area: ## map the lane and its parts to Lattice ECP5 and Xilinx UltraScale+ (FAMILIES=), and hold them to hdl/budgets.json
area: AREA := $(PARTS) lane
area-parts: ## the same without the lane itself, which takes longer than all its parts
area-parts: AREA := $(PARTS)
area area-parts: tools
	@python3 tools/fetch.py yosys
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	@failed=0; for family in $(FAMILIES); do $(HDL) synth --budgets --family $$family $(AREA) || failed=1; done; exit $$failed

.PHONY: bitstream
bitstream: tools ## build the bitstream of BOARD= (LANES=, SEED=, SEEDS= to try) into .build/bitstream/BOARD/; for Xilinx parts what Vivado takes, checked by yosys
	@test -n "$(BOARD)" || { echo "bitstream: name a board: make bitstream BOARD=ulx3s-85f ($$(cd bitstreams && ls -d */ | tr -d / | tr '\n' ' '))" >&2; exit 2; }
	@python3 tools/fetch.py $(if $(shell grep -ls '^.part.xilinx.' bitstreams/$(BOARD)/board.toml),yosys,nextpnr)
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	$(HDL) bitstream $(BOARD) --seed $(SEED) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(LANES),--lanes $(LANES))

.PHONY: flash
flash: ## load the bitstream of BOARD= into the board; PERSIST=1 writes its flash
	@test -f .build/bitstream/$(BOARD)/$(BOARD).bit || { echo "flash: no bitstream; run make bitstream BOARD=$(or $(BOARD),ulx3s-85f)" >&2; exit 1; }
	@command -v openFPGALoader >/dev/null || { echo "flash: openFPGALoader is not there: install Debian's openfpgaloader" >&2; exit 1; }
	openFPGALoader --board $(patsubst %-85f,%,$(BOARD)) $(if $(PERSIST),--write-flash) .build/bitstream/$(BOARD)/$(BOARD).bit

# Blocks of the serial link: small enough to be placed and routed twice in a minute.
.PHONY: route
route: tools ## place and route small blocks twice on an ECP5: their speed, and that the same seed gives the same bits
	@python3 tools/fetch.py nextpnr
	$(CARGO) build $(FLAGS) -p gatewei-hdl
	$(HDL) route --twice --budgets deframe enframe uart_receive uart_send

.PHONY: docs
docs: ## generate the register reference and the library's documentation
	$(CARGO) run $(FLAGS) -p gatewei-hdl -- docs
	$(CARGO) doc $(FLAGS) --no-deps --workspace

.PHONY: clean
clean: ## remove what was built; fetched tools stay
	rm -rf target .build
