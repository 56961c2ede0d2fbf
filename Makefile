# Every target needs only python3 (3.11 or newer) and make; .venv is created and refreshed on demand.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVE ?= 1
CUSTOMERS ?= 5000
SEED ?= 7
# More than two cores have: browsers and processes are waited for. PYTEST_WORKERS=0 debugs in one process.
PYTEST_WORKERS ?= 3
# Tests that compare SQL on both databases look for these services; each may be pointed elsewhere.
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
TEST_REDIS_URL ?= redis://127.0.0.1:6379/15
BENCHMARKS := dispatch dispatch_slow dispatch_embedded dispatch_sms recovery plan import segments refresh timeline scoring training
PACKAGES := loancrm customers campaigns analytics
SOURCES := $(PACKAGES) tests manage.py
# Every process that the tests start would compile two thousand files again without its cache.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-sql check static bench bench-against bench-smtp chaos lock frontend messages schema-fixture clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## Create .venv and install the pinned packages

demo: $(READY) ## Generate data, run five campaigns, print their reports, serve the admin (SERVE=0: stop after the table)
	$(BIN)/python manage.py demo --customers $(CUSTOMERS) --seed $(SEED) $(if $(filter 0,$(SERVE)),--no-serve,)

run: $(READY) ## Run web, worker and beat together at http://127.0.0.1:8000
	$(BIN)/python manage.py up

# `make test COVERAGE=1` also counts which lines and branches ran, and holds them to their floors.
COVERED := var/coverage.json
test: $(READY) ## Run the whole test suite on SQLite
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal $(if $(COVERAGE),--cov --cov-report=json:$(COVERED)) $(PYTEST_ARGS)
	$(if $(COVERAGE),$(BIN)/python tests/coverage_floor.py $(COVERED))

test-sql: $(READY) ## Run the database tests on PostgreSQL and a real Redis broker, when both answer
	@$(BIN)/python tests/services_available.py $(TEST_DATABASE_URL) $(TEST_REDIS_URL) \
		&& DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) \
		$(BIN)/python -m pytest -m sql -n $(PYTEST_WORKERS) --dist worksteal $(PYTEST_ARGS) \
		|| { [ $$? -eq 75 ] && [ -z "$(REQUIRE_SERVICES)" ]; }

static: $(READY) ## Check format, lint, import contracts, dependencies, types (of browser code where npm is), templates, migrations
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/djlint templates --check --lint --quiet
	$(BIN)/python manage.py check
	@if ! command -v npm >/dev/null; then echo "The browser code's types are not checked: npm is missing"; \
		elif [ -d frontend/node_modules ] || (cd frontend && npm ci --silent); then cd frontend && npm run --silent check; \
		else echo "The browser code's types are not checked: its packages cannot be had"; fi
	$(BIN)/python manage.py makemigrations --check --dry-run

# `make check TESTED=1` does not repeat a suite that has just passed.
check: static $(if $(TESTED),,test) test-sql ## Everything that CI runs

bench: $(READY) ## Run all benchmarks (not part of check)
	@for name in $(BENCHMARKS); do $(BIN)/python manage.py bench $$name --json || exit 1; done

# Both versions run with this one's packages. REF is the commit to compare with.
REF ?= HEAD~1
bench-against: $(READY) ## Measure sending and planning of this version and of REF in turn; fails when this one is over 5 % slower
	@folder=$$(mktemp -d) && git worktree add --quiet --detach "$$folder/there" $(REF) && \
		{ $(BIN)/python tests/side_by_side.py "$$folder/there" $(SIDE_BY_SIDE_ARGS); code=$$?; \
		git worktree remove --force "$$folder/there"; rmdir "$$folder"; exit $$code; }

bench-smtp: $(READY) ## Measure the channel's SMTP client against a plain pool; fails when it gains less than a fifth
	$(BIN)/python tests/smtp_clients.py

# A thousand kills over both databases, in rounds that end by themselves. The first failure stops it.
CHAOS_ROUNDS ?= 10
CHAOS := $(BIN)/python manage.py chaos dispatch --n 5000 --kills 50 --json
ALONE := env -u DATABASE_URL -u REDIS_URL

chaos: $(READY) ## Kill, stop and cut sending 1,000 times on SQLite and PostgreSQL (nightly, hours; not part of check)
	@$(BIN)/python tests/services_available.py $(TEST_DATABASE_URL) $(TEST_REDIS_URL)
	@for round in $$(seq $(CHAOS_ROUNDS)); do \
		$(ALONE) $(CHAOS) || exit 1; \
		DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(CHAOS) || exit 1; \
	done

lock: $(READY) ## Pin the dependencies of pyproject.toml into requirements*.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-header -o requirements.txt
	$(BIN)/uv pip compile --group pyproject.toml:dev --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-header -c requirements.txt -o requirements-dev.txt

frontend: ## Rebuild the browser bundles (needs node and npm; the built files are committed)
	cd frontend && npm ci && npm run build

messages: $(READY) ## Compile the Chinese and English catalogues (needs gettext)
	$(BIN)/python manage.py compilemessages

schema-fixture: $(READY) ## Make the coming version's schema with rows anew, after migrations changed (needs PostgreSQL, pg_dump)
	TEST_DATABASE_URL=$(TEST_DATABASE_URL) $(BIN)/python -m tests.schema_fixture

clean: ## Remove everything that can be made again, the demo's data included
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# uv installs in seconds; where it cannot be had, pip installs the same hashes.
$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "loancrm needs Python 3.11 or newer; set PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv || true
	@if [ -x $(BIN)/uv ] && $(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.txt requirements.txt; then :; else \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt -r requirements-dev.txt; fi
	@touch $@
