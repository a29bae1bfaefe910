# make run    the main job on the embedded DuckDB target, through the code that the action runs
# make test   everything that continuous integration checks, `make lint` first
# make kills  dbt killed at 200 random moments; `make test` does 30
# make lint   formatting, types, workflow audit and schemas
# make readme examples/ and the declarations -> the tables and examples of README.md
# make schema the model -> schemas/run.json
# make bench  how fast, how large and how hungry the reports are; what an order by the critical path saves; how long an
#             installation and each step of the action take; a whole run beside bare dbt and the usual four commands
# make bench-peers  the same beside Dagster, Prefect and Airflow with Cosmos
# make lock-peers   benchmarks/peers/requirements-*.in -> benchmarks/peers/requirements-*.txt
# make screenshots  the pictures of the README, out of a run of the sample project
# make lock   requirements*.in -> requirements*.txt
#
# Needs Python from 3.11, Node and make. Everything else goes into .venv and tests/node_modules; where there is
# no Chromium or Chrome, Debian's package is installed.

PYTHON ?= python3
# Some machines switch .pyc files off; every start of dbt would then cost seconds more.
unexport PYTHONDONTWRITEBYTECODE

TOOL := .venv/tool/bin/python -I -m headless_dbt
DEV := .venv/dev/bin/python
UV := .venv/uv/bin/uv
export HEADLESS_DBT_ENVIRONMENTS := .venv

.PHONY: run test kills lint bench bench-peers screenshots format readme schema lock lock-peers tool dev browser clean
.DEFAULT_GOAL := run

run: tool
	@code=0; $(TOOL) run --project-dir dbt_project --target local || code=$$?; \
	$(TOOL) report --project-dir dbt_project || exit; \
	exit $$code

test: lint
	$(DEV) -m pytest -n auto --dist worksteal

# How many kills: make kills KILLS=500
KILLS ?= 200
kills: dev
	HEADLESS_DBT_TEST_KILLS=$(KILLS) $(DEV) -m pytest -n auto --dist worksteal tests/integration/test_survival.py -k any_moment

lint: dev
	$(DEV) -m ruff check .
	$(DEV) -m ruff format --check .
	$(DEV) -m mypy
	.venv/dev/bin/zizmor --offline --quiet --min-severity medium . examples/*.yml
	$(DEV) -m check_jsonschema --builtin-schema vendor.github-actions action.yml
	$(DEV) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*.yml
	tests/node_modules/.bin/tsc -p .
	tests/node_modules/.bin/biome check --error-on-warnings .

# How many rounds: make bench ROUNDS=5
ROUNDS ?= 3
bench: dev
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_report.py $(ROUNDS)
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_schedule.py
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_install.py $(ROUNDS)
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_action.py $(ROUNDS)
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_run.py $(ROUNDS)

bench-peers: dev
	@PYTHONPATH=scripts:. $(DEV) benchmarks/measure_peers.py $(ROUNDS)

screenshots: dev
	rm -rf .venv/shown
	$(TOOL) run --project-dir dbt_project --target local --source-freshness true --run-folder .venv/shown
	$(TOOL) report --project-dir dbt_project --run-folder .venv/shown
	$(DEV) scripts/make_screenshots.py .venv/shown

readme: dev
	PYTHONPATH=scripts $(DEV) scripts/write_readme.py

schema: dev
	PYTHONPATH=scripts $(DEV) scripts/write_schema.py

format: dev
	$(DEV) -m ruff check --fix .
	$(DEV) -m ruff format .
	tests/node_modules/.bin/biome check --write .

# The bootstrap of the action itself. It leaves a ready environment as it is.
tool:
	@$(PYTHON) -I scripts/headless_dbt/bootstrap.py .venv

dev: tool browser tests/node_modules/.package-lock.json
	@$(UV) venv --quiet --no-project --allow-existing --python .venv/tool/bin/python .venv/dev
	@$(UV) pip sync --quiet --no-build --require-hashes --python $(DEV) requirements-dev.txt

# tests/browser/ drives the one that is there, by the first of these names. Ubuntu's own package is a stub for snap,
# but its runners on GitHub bring a real one.
APT_GET = $(if $(filter-out 0,$(shell id -u)),sudo) env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq -y -o DPkg::Lock::Timeout=300
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	{ $(APT_GET) update && $(APT_GET) install --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null; }

tests/node_modules/.package-lock.json: tests/package-lock.json
	npm ci --prefix tests --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

# A release is a week old before it gets into a lock.
LOCK = $(UV) pip compile --quiet --universal --no-build --generate-hashes --no-header --no-annotate \
	--python-version 3.11 --exclude-newer "$(shell $(PYTHON) -c 'import datetime as d; print(d.date.today() - d.timedelta(days=7))')"

lock: tool
	$(LOCK) --excludes requirements-excludes.txt requirements.in -o requirements-python-models.txt
	$(LOCK) --excludes requirements-excludes.txt --excludes requirements-excludes-sql.txt \
		--constraints requirements-python-models.txt requirements.in -o requirements.txt
	$(LOCK) requirements-tool.in -o requirements-tool.txt
	$(LOCK) --excludes requirements-dev-excludes.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) requirements-emulator.in -o requirements-emulator.txt

PEERS := dagster prefect airflow
lock-peers: tool
	$(foreach peer,$(PEERS),$(LOCK) --excludes requirements-excludes.txt benchmarks/peers/requirements-$(peer).in \
		-o benchmarks/peers/requirements-$(peer).txt &&) true

clean:
	rm -rf .venv tests/node_modules dbt_project/target dbt_project/*.duckdb
