# `make demo` shows what soc2scan does; `make test` proves it. Both set up all they need on a machine that has
# Rust and Python 3.11; neither needs an AWS account.

PYTHON ?= $(firstword $(foreach p,python3.11 python3 python,$(if $(shell command -v $(p)),$(p))))
VENV := .venv
VENV_PYTHON := $(CURDIR)/$(VENV)/bin/python
VENV_STAMP := $(VENV)/requirements.installed

.PHONY: help demo test venv check sarif bench demo-recording

help:
	@echo 'make demo   build it, judge the recorded account inside it: summary, soc2scan-demo.sarif, soc2scan-demo.json'
	@echo 'make test   run every test, those against an emulated AWS too'
	@echo 'make check  formatting, lints and documentation, warnings denied'
	@echo 'make sarif  validate the demo against the rules of code scanning (needs npm)'
	@echo 'make bench  measure'

# Writes soc2scan-demo.sarif and soc2scan-demo.json.
demo:
	cargo build --release --locked
	@cargo run --release --locked --quiet -- demo

test: venv
	SOC2SCAN_PYTHON="$(VENV_PYTHON)" cargo test --locked --no-fail-fast

check:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# By the program that the tests have built, which need not be built again.
sarif:
	cargo run --locked --quiet -- demo -q -o soc2scan-demo.sarif
	tests/sarif/validate.sh soc2scan-demo.sarif

# The demo's account, recorded anew from the emulator.
demo-recording: venv
	SOC2SCAN_PYTHON="$(VENV_PYTHON)" cargo test --locked --test demo -- --ignored record

bench:
	cargo bench --locked

venv: $(VENV_STAMP)

# Debian splits venv's pip off; virtualenv is the usual way round that.
$(VENV_STAMP): tests/requirements.txt tests/constraints.txt
	@test -n "$(PYTHON)" || { echo 'make test needs Python 3.11 or later on the PATH' >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); virtualenv -p $(PYTHON) $(VENV); } \
	  || { echo 'Neither "$(PYTHON) -m venv" nor "virtualenv" works: install python3-venv' >&2; exit 1; }
	$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c tests/constraints.txt
	touch $@
