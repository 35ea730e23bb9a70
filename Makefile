# Suijian (随检). `make` prints the targets; `make run` and `make test` set up what is missing by themselves.
.DEFAULT_GOAL := help
.PHONY: help run test soak check fix docs bench pictures fonts lock setup setup-dev
SHELL := /bin/sh
PYTHON := .venv/bin/python
PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet
NPM := npm --loglevel=error

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## set up what is missing, load the demo on the first start, serve http://localhost:8000
	@exec $(PYTHON) -m server serve --demo

test: setup-dev ## run all tests: Python, node, the browser, both databases
	@$(PYTHON) -m tests.run

soak: setup-dev ## the long sweeps: more histories, more kills, more orders
	@$(PYTHON) -m tests.run --soak

check: setup-dev ## ruff, mypy --strict, import-linter, tsc, prettier
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	cd web && npx --no-install tsc --noEmit -p . && npx --no-install prettier --check .

fix: setup-dev ## repair what ruff and prettier can repair
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format
	cd web && npx --no-install prettier --write .

docs: setup-dev ## write .env.example and the lists of settings and problems from the code
	$(PYTHON) -m tools.docs

bench: setup-dev ## measure, and write docs/performance.md
	$(PYTHON) -m benchmarks

pictures: setup-dev ## photograph every view and office page into docs/pictures
	$(PYTHON) -m tests.pictures

fonts: ## fetch the fonts that PDFs need, where the system has no Noto Sans CJK
	@fc-list 2>/dev/null | grep -q 'NotoSansCJK' && echo 'The system has Noto Sans CJK.' || \
	  $(NPM) install --prefix data/fonts @expo-google-fonts/noto-sans-sc @expo-google-fonts/noto-sans-jp

lock: setup-dev ## write the lock files anew
	.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	cd web && $(NPM) install --package-lock-only

setup: .venv/run.stamp web/packed/manifest.json

setup-dev: .venv/dev.stamp web/node_modules/dev.stamp web/packed/manifest.json

.venv/python.stamp:
	@sh tools/need.sh
	@echo 'Setting up Python (.venv) ...'
	@$$(sh tools/need.sh python) -m venv .venv
	@touch $@

.venv/run.stamp: .venv/python.stamp requirements.lock pyproject.toml
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock
	@echo 'Setting up what the tests need ...'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

web/vendor/run.stamp: web/package-lock.json web/vendor.mjs
	@sh tools/need.sh
	@echo 'Setting up the browser libraries (web/vendor) ...'
	@cd web && { [ -e node_modules/dev.stamp ] && [ node_modules/dev.stamp -nt package-lock.json ] || $(NPM) ci --omit=dev; }
	@cd web && node vendor.mjs && touch vendor/run.stamp

web/packed/manifest.json: web/vendor/run.stamp web/pack.mjs $(wildcard web/*.js web/*.css web/*/*.js)
	@cd web && node pack.mjs

web/node_modules/dev.stamp: web/package-lock.json web/vendor.mjs
	@sh tools/need.sh
	@cd web && $(NPM) ci && node vendor.mjs && touch node_modules/dev.stamp vendor/run.stamp
