# Thin on purpose: each line calls a command you can type yourself. ARGS reaches the last one:
#   make serve ARGS="--port 9000"     make test ARGS="tests/router -x"
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
ARGS ?=
KILLS ?= 100
SEED ?= 1
CHECKS := check-format check-lint check-types check-types-light check-imports check-dependencies \
          check-spelling check-dead-code check-architecture

.DEFAULT_GOAL := help
.PHONY: help serve test faults check bench bench-starter format openapi guides clean installed installed-dev $(CHECKS)

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 10

serve: installed ## install what is missing, then start the server on 127.0.0.1:8000
	@exec $(BIN)/pinxit serve $(ARGS)

test: installed-dev ## run the whole test suite, a file a worker, a thread each
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --numprocesses 3 --dist loadfile $(ARGS)

check: $(CHECKS) ## format, lint, types, import contracts, dependencies, spelling, dead code, architecture

bench: installed-dev ## run the benchmarks; they print ratios
	@$(BIN)/pip install --quiet --constraint constraints.txt --group bench
	OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest tests/benchmarks -m benchmark -s $(ARGS)

bench-starter: installed-dev ## measure the model in the box; the table goes to build/bench-starter, too
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m models.training.bench $(ARGS)

faults: installed-dev ## kill server and engine in turn, then load it; prints what was kept and broken (KILLS, SEED)
	PYTHONPATH=.:tests $(BIN)/python -m plugins.kill_run --kills $(KILLS) --seed $(SEED)
	PYTHONPATH=.:tests $(BIN)/python -m plugins.load_run --seed $(SEED)
	OMP_NUM_THREADS=1 $(BIN)/pytest -q --full tests/models/diffusion/test_reproducibility.py tests/models/diffusion/test_starts_in_shared_passes.py

format: installed-dev ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: installed ## write docs/openapi.json anew, after a change of the contract on purpose
	$(BIN)/pinxit openapi > docs/openapi.json

guides: installed-dev ## write the examples in docs/guides anew, after a change of docs/examples.toml
	$(BIN)/python docs/render.py

clean: ## remove what can be made again (never data/)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

installed:
	@$(PYTHON) configs/deploy/install.py

installed-dev:
	@$(PYTHON) configs/deploy/install.py --dev

$(CHECKS): installed-dev
check-format:       ; $(BIN)/ruff format --check .
check-lint:         ; $(BIN)/ruff check .
check-types:        ; $(BIN)/mypy
check-types-light:  ; $(BIN)/pyright
check-imports:      ; $(BIN)/lint-imports
check-dependencies: ; $(BIN)/deptry .
check-spelling:     ; $(BIN)/typos
check-dead-code:    ; $(BIN)/vulture
check-architecture: ; $(BIN)/pytest -q tests/architecture
