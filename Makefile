# Two commands do everything: `make demo` (see it work) and `make test` (see it hold).
# The environment in .venv is made on first use from requirements.lock.

BIN := .venv/bin
.DEFAULT_GOAL := help

# `make proof NAME`: the second word is the name of the proof, not a goal of its own.
ifeq (proof,$(firstword $(MAKECMDGOALS)))
PROOF := $(word 2,$(MAKECMDGOALS))
ifneq (,$(PROOF))
$(eval .PHONY: $(PROOF))
$(eval $(PROOF):;@:)
endif
endif

.PHONY: help demo test check bench proof lock clean

help: ## say what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

demo: .venv/.ready ## start the demo world on http://127.0.0.1:8080 (YIBAO_PORT changes the port)
	@exec $(BIN)/yibao demo

test: .venv/.ready ## run all tests against a real PostgreSQL
	$(BIN)/pytest -q -n 2 --dist loadfile

check: .venv/.ready ## style, types, the plan of the house, and proofs older than their code
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	-$(BIN)/python -m tests.proofs --check

bench: .venv/.ready ## measure settlements against pgbench and the law against OpenFisca; writes docs/benchmarks*.md
	$(BIN)/python -m bench
	$(BIN)/python -m bench.law
	$(BIN)/python -m bench.grouping
	$(BIN)/python -m bench.core_business
	$(BIN)/python -m bench.surge

proof: .venv/.ready ## `make proof NAME`: one proof at full size; writes docs/proofs/NAME.json
	$(BIN)/python -m tests.proofs $(PROOF)

lock: .venv/.ready ## pin the newest allowed dependencies in requirements.lock
	tools/lock

clean: ## remove the environment and caches; never the data in .yibao
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/.ready: requirements.lock pyproject.toml tools/environment
	tools/environment
