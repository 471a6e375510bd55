# Everything one does with Fairplace, from an empty machine on: `make run` and `make test`.
# What a target needs is installed into .venv and node_modules the first time, and again only
# when a lock file changed.

PYTHON ?= python3
TEST_PROCESSES ?= 2
export PATH := $(CURDIR)/.venv/bin:$(PATH)
VENV := .venv/bin/python
# The certificates of the system, which a company may have added its own to, where there are any.
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
UV := $(VENV) -m uv --quiet $(if $(CERTIFICATES),--system-certs)
MANAGE := $(VENV) manage.py
CATALOGUE := frontend/locale/zh_Hans/LC_MESSAGES/django
CHROMIUM_NAMES := chromium chromium-browser google-chrome google-chrome-stable

# Modules whose types are checked: services, selectors and engines of every chapter.
TYPED := $(wildcard */services */selectors.py */selectors) \
	$(wildcard config/money.py portfolios/lots.py portfolios/lot_covariates.py \
	portfolios/lot_exchange.py portfolios/lot_balance.py portfolios/conduct.py \
	marketplace/success marketplace/allocation.py marketplace/anonymity.py \
	marketplace/tape.py payouts/commission.py \
	portfolios/*_files.py portfolios/file_*.py portfolios/table*.py portfolios/cells.py \
	portfolios/columns.py portfolios/good_rows.py portfolios/loan_doubts.py \
	portfolios/rejected_rows.py portfolios/row_batches.py portfolios/workbooks.py \
	portfolios/cell_formats.py portfolios/mappings)

.PHONY: help run test test-services check format types imports migrations schema schema-check \
	bench demo messages setup setup-test lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 16

# --- What one does

run: setup ## Start everything; stop it with Ctrl-C
	@$(VENV) -m config.run

test: setup-test ## Run every check and every test
	@$(MAKE) --no-print-directory check
	@$(VENV) -m pytest -n $(TEST_PROCESSES) --dist=loadgroup -m "not services" --quiet

test-services: setup-test ## Run all tests on a PostgreSQL server and RabbitMQ (see README)
	@.ci/services $(VENV) -m pytest -n $(TEST_PROCESSES) --dist=loadgroup -m "" --quiet

check: setup-test ## Run the fast checks: format, lint, imports, types, migrations, schema
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target --keep-going \
		types format schema-check imports migrations

format:
	@$(VENV) -m ruff format --quiet --check . || { $(VENV) -m ruff format --diff --quiet .; exit 1; }
	@$(VENV) -m ruff check --quiet .

types:
	@$(VENV) -m mypy --no-error-summary $(TYPED)

imports:
	@$(VENV) -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-logo \
		> var/imports.log || { cat var/imports.log; exit 1; }

# No database is asked: the warning that none answers is expected.
migrations:
	@$(VENV) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --verbosity 1

schema-check:
	@$(MANAGE) graphql_schema --out=var/schema.graphql > /dev/null
	@diff -u config/schema.graphql var/schema.graphql || \
		{ echo "config/schema.graphql is not what the code says: run \`make schema\`."; exit 1; }

schema: setup ## Rewrite config/schema.graphql
	@$(MANAGE) graphql_schema --out=config/schema.graphql

bench: setup-test ## Run the benchmarks
	@$(VENV) -m tests.bench

demo: setup ## Load the demonstration into the empty database of a running `make run`
	@$(MANAGE) demo

clean: ## Remove what tests and checks keep
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@test ! -e var/test/postgres-is-elsewhere || \
		rm -rf "$$(dirname "$$(head -n 1 var/test/postgres-is-elsewhere)")"
	@rm -rf var/test

# --- Set-up

setup: .venv/made-for-running node_modules/made $(CATALOGUE).mo var

setup-test: .venv/made-for-testing .venv/chromium-looked-for node_modules/made $(CATALOGUE).mo var

var:
	@mkdir -p var

.venv/made: requirements-setup.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Fairplace needs Python 3.11 or later: make PYTHON=/path/to/python3 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: install python3-venv."; exit 1; }
	@echo "Installing Python packages into .venv"
	@$(VENV) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-setup.txt
	@touch $@

.venv/made-for-running: .venv/made requirements.txt
	@$(UV) pip install --python $(VENV) --require-hashes -r requirements.txt
	@touch $@

.venv/made-for-testing: .venv/made requirements-dev.txt
	@$(UV) pip install --python $(VENV) --require-hashes -r requirements-dev.txt
	@touch $@ .venv/made-for-running

# The tests say what to install where this finds nothing and cannot bring one either.
.venv/chromium-looked-for: .venv/made-for-testing
	@for name in $(CHROMIUM_NAMES); do command -v $$name > /dev/null && found=1; done; \
		test -n "$$found" || $(VENV) -m playwright install chromium || true
	@touch $@

node_modules/made: .venv/made package.json package-lock.json .npmrc requirements-node.txt
	@command -v npm > /dev/null || \
		$(UV) pip install --python $(VENV) --require-hashes -r requirements-node.txt
	@NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-$(CERTIFICATES)}" \
		npm ci --no-progress --no-update-notifier --loglevel=error
	@touch $@

$(CATALOGUE).mo: $(CATALOGUE).po .venv/made-for-running
	@.venv/bin/pybabel --quiet compile --domain django --directory frontend/locale
	@touch $@

messages: setup ## Collect the sentences to translate again (needs gettext)
	@$(MANAGE) makemessages --locale zh_Hans --add-location file --no-obsolete \
		--ignore .venv --ignore node_modules --ignore var --ignore tests

lock: .venv/made ## Resolve all locked versions again
	@for group in setup node; do $(UV) pip compile $(LOCK) --group $$group \
		--output-file requirements-$$group.txt > /dev/null || exit 1; done
	@$(UV) pip compile $(LOCK) pyproject.toml --output-file requirements.txt > /dev/null
	@$(UV) pip compile $(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt \
		> /dev/null
	@npm install --package-lock-only --loglevel=error

LOCK := --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	--custom-compile-command "make lock"
