# All the set-up that a fresh Debian or Ubuntu with Rust and a C++ compiler needs.
#
#   make demo    play a dispute on a real Bitcoin Core node: somebody lies, and loses the bond
#   make test    every test of every crate
#   make check   formatting and lints, as CI asks for them
#   make setup   only the set-up: a bitcoind, found or built (about six minutes, once)
#
# What is built is kept outside of this folder, in ~/.cache/gavel or $GAVEL_CACHE.

CARGO ?= cargo
SCENARIO ?= lying-claimer

.PHONY: help demo test check setup setup-release clean

help:
	@sed -n 's/^#   //p' Makefile

# The first run of cargo shows what it builds; that takes minutes.
setup:
	$(CARGO) run --package gavel-cli -- regtest install

setup-release:
	$(CARGO) run --release --package gavel-cli -- regtest install

demo: setup-release
	$(CARGO) run --quiet --release --package gavel-cli -- play contracts/price_bet.gvl --scenario $(SCENARIO)

test: setup
	$(CARGO) test --package gavel-prover --features shuttle --test schedules
	$(CARGO) test --workspace --no-fail-fast

check:
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

clean:
	$(CARGO) clean
