# Every target does the set-up it needs and does it once. `make` alone lists them.

PYTHON := .venv/bin/python
BIN := .venv/bin
FAST := not docker and not bwrap and not node and not nvim and not vscode and not slow
# A file of tests stays in one process: what it sets up is set up once.
SPREAD := -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup engine check test bench demo vsix lint types contracts extension lock readme pictures clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## .venv with the locked dependencies
	@.ci/venv

engine: setup ## a Docker Engine that answers: found, or installed and started
	@.ci/tools git
	@.ci/engine

vsix: setup ## the VS Code extension, to be installed: editors/vscode/build/greenloop.vsix
	@.ci/extension package

check: lint types contracts ## seconds: lint, types, import contracts, tests without an engine
	$(BIN)/pytest -q -m "$(FAST)" tests/unit tests/contract tests/arch

test: lint types contracts extension engine ## everything, with branch coverage; what CI runs
	@.ci/tools bwrap
	@.ci/nvim
	@.ci/vscode
	$(BIN)/pytest $(SPREAD) --cov --cov-report=term --cov-fail-under="$$(cat .ci/coverage-floor)"

bench: engine ## speed and memory against floors measured in the same run
	@$(PYTHON) -m tests.bench $(BENCH)

demo: engine ## a real bug of a published library, fixed in front of you
	@$(PYTHON) -m tests.support.demo $(DEMO)

lint: setup
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/deptry --no-ansi agent sandbox lsp_server
	$(BIN)/vulture agent sandbox lsp_server

types: setup
	$(BIN)/mypy --no-error-summary

contracts: setup
	$(BIN)/lint-imports --no-logo

extension: setup
	@.ci/extension typecheck lint test

lock: setup ## renew .ci/requirements.txt: newest versions, their hashes, no addresses
	@.ci/lock

readme: engine ## take the terminal capture of README.md anew
	@$(PYTHON) -m tests.support.capture

pictures: engine extension ## take the pictures of the editors in docs/images anew
	@.ci/tools tmux
	@.ci/nvim
	@.ci/vscode
	@$(PYTHON) -m tests.support.nvim_pictures
	@$(PYTHON) -m tests.support.vscode_pictures

clean: ## remove what the targets made, the engine excepted
	rm -rf editors/vscode/node_modules editors/vscode/build editors/vscode/dist
	rm -rf .venv .cache build dist htmlcov .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
