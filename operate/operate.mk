# Deploying and operating: included by the Makefile.

DEPLOY_VENV := .venv-deploy/.installed
DEPLOY_PATH := $(CURDIR)/.venv-deploy/bin:$(PATH)
OPERATE = $(PYTHON) -m operate
NAMED = --stack "$$STACK"

.PHONY: doctor tag deploy start stop approve status log destroy smoke

doctor: $(VENV) ## What would go wrong, in seconds: sign-in, Region, addresses, state machine, servers, tags, mail, keys
	@$(OPERATE) doctor --render "$(COMMANDS) render servers.toml"

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

status: $(VENV) ## What runs now, the schedules, the stack's outputs, the last runs and the last report
	@$(OPERATE) $@ $(NAMED)

log: $(VENV) ## The phase log of a run
	@$(OPERATE) $@ $(NAMED) --run "$$RUN"

destroy: $(VENV) ## Deletes the stack, its logs and its uploaded code, after asking
	@$(OPERATE) $@ $(NAMED)

smoke: $(DEPLOY_VENV) $(VENV) ## sam build, then its artefact under AWS's Runtime Interface Emulator (compiles for about 15 minutes)
	PATH="$(DEPLOY_PATH)" sam build --build-in-source
	$(PYTHON) -m operate.smoke

samconfig.toml:
	@echo "There is no samconfig.toml: cp samconfig.toml.example samconfig.toml, and put your addresses in." >&2; exit 1

$(DEPLOY_VENV): operate/requirements.txt
	@$(call need_python)
	@echo "== Installing sam and cargo-lambda into .venv-deploy (about two minutes, 800 MB)"
	$(PYTHON3) -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --disable-pip-version-check -r operate/requirements.txt
	@touch $@
