# Deploying and operating: included by the Makefile.

STACK ?= ec2-start-stop
ENV ?=
DRY_RUN ?=
DEPLOY_VENV := .venv-deploy/.installed
DEPLOY_PATH := $(CURDIR)/.venv-deploy/bin:$(PATH)
OPERATE = $(PYTHON) -m operate --stack "$(STACK)"

.PHONY: start stop status deploy destroy smoke

start: $(VENV) ## Starts the deployed stack's servers and follows the run. ENV=dev,test DRY_RUN=1 STACK=…
	@$(OPERATE) $@ --environments "$(ENV)" $(if $(DRY_RUN),--dry-run)

stop: $(VENV) ## Stops them, with the same options
	@$(OPERATE) $@ --environments "$(ENV)" $(if $(DRY_RUN),--dry-run)

status: $(VENV) ## The schedules, the last executions and the last report
	@$(OPERATE) status

deploy: samconfig.toml $(DEPLOY_VENV) ## sam build and sam deploy with samconfig.toml
	PATH="$(DEPLOY_PATH)" sam build
	PATH="$(DEPLOY_PATH)" sam deploy --stack-name "$(STACK)" --s3-prefix "$(STACK)"

destroy: $(VENV) ## Deletes the stack, its logs and its uploaded code, after asking
	@$(OPERATE) destroy

smoke: $(DEPLOY_VENV) $(VENV) ## sam build, then its artefact under AWS's Runtime Interface Emulator (compiles for about 15 minutes)
	PATH="$(DEPLOY_PATH)" sam build
	$(PYTHON) -m operate.smoke

samconfig.toml:
	@echo "There is no samconfig.toml: cp samconfig.toml.example samconfig.toml, and put your addresses in." >&2; exit 1

$(DEPLOY_VENV): operate/requirements.txt
	@command -v python3.11 > /dev/null || { echo "Python 3.11 is needed on the PATH as python3.11; then run this again." >&2; exit 1; }
	@echo "== Installing sam and cargo-lambda into .venv-deploy (about two minutes, 800 MB)"
	python3.11 -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --disable-pip-version-check -r operate/requirements.txt
	@touch $@
