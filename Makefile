# Every command of the project. `make help` lists them; CI runs what the README names.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

PYTHON := .venv/bin/python
# No network of its own; no sandbox, because it reads nothing but our own files and may run as root in a container.
CHROMIUM = chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --hide-scrollbars --user-data-dir=$(CURDIR)/target/preview/.chromium
VENV := .venv/.installed
NODE := node_modules/.installed

ACTION ?= both
SPEED ?= 60
FAULT ?=
INPUT ?=
PORT ?= 0
SERVE ?=
MUTE ?=

.PHONY: help run test test-fast test-rust test-python check statemachine preview pictures build-function

help: ## Lists the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

run: $(VENV) build-function ## The whole system against the embedded AWS. ACTION=start|stop|both SPEED=60 FAULT=… INPUT=… PORT=… SERVE=1 MUTE=1
	@$(PYTHON) -m local --action "$(ACTION)" --speed "$(SPEED)" --fault '$(FAULT)' --input '$(INPUT)' --port "$(PORT)" $(if $(SERVE),--serve) $(if $(MUTE),--mute)

test: test-fast test-rust test-python ## All tests
	@echo "All tests passed."

test-fast: ## The core without the AWS SDK, in seconds after the first build
	@echo "== The core's tests, without the AWS SDK"
	cargo test --no-default-features --quiet

test-rust: ## The Rust tests with the AWS SDK
	@echo "== All Rust tests; the first time this compiles the AWS SDK: 5 to 15 minutes and up to 8 GB of memory"
	cargo test --quiet

test-python: $(VENV) $(NODE) build-function ## The interpreter's conformance, the state machine, the template, the whole system
	@echo "== The Python tests"
	$(PYTHON) -m pytest tests

check: $(VENV) $(NODE) ## Format, lints, docs, the state machine's and the template's linters
	@echo "== Checks; the first time this compiles the AWS SDK's metadata: some minutes"
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet
	.venv/bin/ruff format --check bench local operate tests
	.venv/bin/ruff check bench local operate tests
	$(PYTHON) -m tests.lint

statemachine: ## Renders statemachine.asl.json from servers.toml
	@mkdir -p build
	cargo run --quiet --no-default-features --bin statemachine > build/statemachine.asl.json
	mv build/statemachine.asl.json statemachine.asl.json

preview: ## Writes the mails of typical runs, and a page that shows them side by side, into target/preview
	cargo run --quiet --no-default-features --example preview target/preview

pictures: preview ## Pictures of those mails at 375 pixels, light and dark, and at 1,200 (needs chromium)
	@command -v chromium > /dev/null || { echo "Chromium is needed on the PATH as chromium (Debian: apt-get install chromium); then run this again." >&2; exit 1; }
	@cd target/preview && for mail in $$(ls *.html | grep -v index); do for look in 375-light 375-dark 1200-light; do \
	  $(CHROMIUM) --window-size=$${look%-*},1600 --blink-settings=preferredColorScheme=$$([ $${look#*-} = dark ] && echo 0 || echo 1) \
	    --screenshot="$${mail%.html}-$$look.png" "$$mail" 2> /dev/null || exit 1; done; done; ls $(CURDIR)/target/preview/*.png

include operate.mk
include bench.mk

build-function:
	@command -v cargo > /dev/null || { echo "Rust is needed (https://rustup.rs); then run this again." >&2; exit 1; }
	@echo "== Building the function; the first time this compiles the AWS SDK: 5 to 15 minutes and up to 8 GB of memory"
	cargo build --bin ec2-start-stop

$(VENV): local/requirements.txt
	@command -v python3.11 > /dev/null || { echo "Python 3.11 is needed on the PATH as python3.11; then run this again." >&2; exit 1; }
	@echo "== Installing the embedded AWS into .venv (about a minute)"
	@python3.11 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check -r local/requirements.txt \
		|| { echo "pip could not install local/requirements.txt: is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(NODE): package.json package-lock.json
	@command -v npm > /dev/null || { echo "Node.js with npm is needed for the state machine's linters; then run this again." >&2; exit 1; }
	@echo "== Installing the state machine's linters into node_modules"
	@npm ci --silent --no-audit --no-fund \
		|| { echo "npm could not install package-lock.json: is the package registry reachable?" >&2; exit 1; }
	@touch $@
