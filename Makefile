# Everything a person does with this checkout. `make` alone lists it.
# ARGS goes to the command that is run: make run ARGS="--seed 3", make test ARGS="-k approvals"; make chaos SEEDS=1000;
# make regress BASE=v0.1.0; make soak HOURS=24.
.DEFAULT_GOAL := help
.PHONY: help run test check chaos regress soak bench format constraints clean

ARGS ?=
SEEDS ?= 200
BASE ?= HEAD
HOURS ?= 24
BIN := .venv/bin
# Set on some machines; without byte-code every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the bot: BOT_PROFILE or the demo, set up first where needed
	@scripts/environment.sh run
	@$(BIN)/bot run --profile $${BOT_PROFILE:-demo} $(ARGS)

test: ## Run the tests; those marked slow only with CI=true
	@scripts/environment.sh dev
	$(BIN)/pytest -n auto --dist loadgroup --benchmark-disable $(if $(CI),,-m "not slow") $(ARGS)

check: ## Check formatting, lint, types and the floors between modules
	@scripts/environment.sh dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

chaos: ## Play SEEDS runs of the whole firm on simulated time, with faults and crashes
	@scripts/environment.sh dev
	$(BIN)/python -m tests.chaos.run --seeds $(SEEDS) $(ARGS)

regress: ## Replay BASE and this checkout over the same candles: every decision, fill and equity that differs
	@scripts/environment.sh dev
	$(BIN)/python -m tests.regress.run --base $(BASE) $(ARGS)

soak: ## Let the bot trade HOURS of real time at a fake venue with faults, audited each hour
	@scripts/environment.sh dev
	$(BIN)/python -m tests.proof.soak --hours $(HOURS) $(ARGS)

bench: ## Measure how fast it is
	@scripts/environment.sh dev
	$(BIN)/pytest tests/bench --benchmark-only $(ARGS)

format: ## Format the code and fix what the linter can
	@scripts/environment.sh dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

constraints: ## Pin the newest allowed version of every dependency
	@scripts/environment.sh dev
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-header --no-annotate --extra dev --extra rl --output-file constraints.txt pyproject.toml

clean: ## Remove what was built, .venv too; what the bot keeps in var/ stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
