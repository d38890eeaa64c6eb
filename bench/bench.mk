# The benchmark: included by the Makefile.

BENCH_VENV := .venv/.bench

.PHONY: bench

bench: $(BENCH_VENV) ## The benchmark's tables and docs/growth.png, beside a Python baseline
	@echo "== Building the release function (the first time about 15 minutes and up to 9 GB of memory), then a hello world"
	cargo build --release --quiet --bin ec2-start-stop
	cargo build --release --quiet --manifest-path bench/hello/Cargo.toml --target-dir target/hello
	cargo build --quiet --no-default-features --features testkit --target-dir target/core --example simulation
	$(PYTHON) -m bench $(if $(call yes,BUILDS),--builds)

$(BENCH_VENV): bench/requirements.txt $(VENV)
	@echo "== Installing matplotlib into .venv"
	@.venv/bin/pip install --quiet --disable-pip-version-check -r bench/requirements.txt \
		|| { echo "pip could not install bench/requirements.txt: is the package registry reachable?" >&2; exit 1; }
	@touch $@
