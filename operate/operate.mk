# Deploying and operating: included by the Makefile.

DEPLOY_VENV := .venv-deploy/.installed
DEPLOY_PATH := $(CURDIR)/.venv-deploy/bin:$(PATH)
OPERATE = $(PYTHON) -m operate
NAMED = --stack "$$STACK"

.PHONY: doctor tag deploy start stop approve check-account postpone release status log destroy smoke

doctor: $(VENV) ## What would go wrong, in seconds: sign-in, Region, addresses, state machine, servers, tags, mail, keys
	@$(OPERATE) doctor --commands "$(COMMANDS)"

tag: $(VENV) ## Shows which listed servers lack the tag that the function needs; tags them with APPLY=1
	@$(OPERATE) tag $(if $(call yes,APPLY),--apply)

deploy: samconfig.toml doctor $(DEPLOY_VENV) ## make doctor, then sam build and sam deploy with samconfig.toml
	PATH="$(DEPLOY_PATH)" sam build --build-in-source
	PATH="$(DEPLOY_PATH)" sam deploy $(if $(STACK),--stack-name "$$STACK" --s3-prefix "$$STACK")

exceptions = --at "$$AT" --stop-after-hours "$$STOP_AFTER_HOURS" $(if $(call yes,IGNORE_CALENDAR),--ignore-calendar)

start: $(VENV) ## Starts the deployed stack's servers and follows the run
	@$(OPERATE) $@ $(NAMED) --environments "$$ENV" $(exceptions) $(if $(call yes,DRY_RUN),--dry-run) $(if $(call yes,YES),--yes)

stop: $(VENV) ## Stops them
	@$(OPERATE) $@ $(NAMED) --environments "$$ENV" $(exceptions) $(if $(call yes,DRY_RUN),--dry-run) $(if $(call yes,YES),--yes)

approve: $(VENV) ## Says yes or no to a run that waits for it before an environment's start or stop
	@$(OPERATE) $@ $(NAMED) --run "$$RUN" --environments "$$ENV" --answer "$$ANSWER"

check-account: $(VENV) ## What would fail at the next start and stop: permissions, servers, keys, mail, roles (changes nothing)
	@$(OPERATE) $@ $(NAMED) --environments "$$ENV"

postpone: $(VENV) ## Holds the servers of an environment as they are, until a time, by their tag
	@$(need_commands)
	@$(OPERATE) $@ --environments "$$ENV" --until "$$UNTIL" --commands "$(COMMANDS)" $(if $(call yes,OTHERS),--others) $(if $(call yes,YES),--yes)

release: $(VENV) ## Takes that tag off again
	@$(OPERATE) $@ --environments "$$ENV" $(if $(call yes,OTHERS),--others) $(if $(call yes,YES),--yes)

status: $(VENV) ## What runs now, the schedules and when they fire next, the stack's outputs, the last runs and the last report
	@$(OPERATE) $@ $(NAMED) --commands "$(COMMANDS)"

log: $(VENV) ## The phase log of a run
	@$(OPERATE) $@ $(NAMED) --run "$$RUN"

destroy: $(VENV) ## Deletes the stack, its logs and its uploaded code, after asking
	@$(OPERATE) $@ $(NAMED)

smoke: $(DEPLOY_VENV) $(VENV) ## sam build, then its artefact under AWS's Runtime Interface Emulator (compiles for about 15 minutes)
	PATH="$(DEPLOY_PATH)" sam build --build-in-source
	$(PYTHON) -m operate.smoke

# arm64 costs a fifth less. What can build it: a machine of that kind, a release's bootstrap for it, Rust's target for it.
ARM64_TARGET = $(shell rustc --print sysroot 2> /dev/null)/lib/rustlib/aarch64-unknown-linux-gnu
BOOTSTRAP_IS_ARM64 = $(filter b7,$(shell od -An -tx1 -j18 -N1 bootstrap 2> /dev/null))
can_arm64 = $(if $(wildcard bootstrap),$(BOOTSTRAP_IS_ARM64),$(or $(filter aarch64 arm64,$(shell uname -m)),$(wildcard $(ARM64_TARGET))))
with_arm64 := -e 's/^\# (parameter_overrides = \["Architecture=arm64"\])/\1/' \
	-e 's/^parameter_overrides = \[$$/&\n  "Architecture=arm64",/'

samconfig.toml: ## Makes samconfig.toml of its example, for arm64 where it can be built here (a fifth cheaper)
	@sed -E -e '' $(if $(can_arm64),$(with_arm64)) samconfig.toml.example > $@
	@echo "samconfig.toml was made of its example, for $(if $(can_arm64),arm64,x86_64): put your Region and your addresses in." >&2
	@$(if $(filter $@,$(MAKECMDGOALS)),,exit 1)

$(DEPLOY_VENV): operate/requirements.txt
	@$(call need_python)
	@echo "== Installing sam and cargo-lambda into .venv-deploy (about two minutes, 800 MB)"
	$(PYTHON3) -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --disable-pip-version-check -r operate/requirements.txt
	@touch $@
