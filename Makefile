# make app      set everything up and open the app          make test    set everything up and run the tests
# make train    train all models: DATA=folder of MovieLens  make bench   speed, memory and sizes
# make check    ruff and types                              make setup   only the environment
# make audit    known holes in packages, secrets in the history
# make peers    models of other libraries on our splits, for the evaluate command: PEERS="--only rectools_ease", …
# make reproduce    every report and every table in README.md and docs: DATA=folder of MovieLens
#
# TORCH_INDEX=address   take torch from this index first, such as PyTorch's own for CPU wheels (see README.md)

PYTHON ?= python3
DATA ?= data/raw/ml-1m
METADATA ?=
PEERS ?=
BIN := .venv/bin

.PHONY: setup app test train reproduce bench check audit peers
.DEFAULT_GOAL := app

.venv/app: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python is %s, wanted 3.11 or newer: make PYTHON=python3.12" % sys.version.split()[0])'
	@echo "Installing what the app needs into .venv: some minutes, the first time"
	test -x $(BIN)/python || $(PYTHON) -m venv --upgrade-deps .venv
	$(if $(TORCH_INDEX),$(BIN)/pip install --quiet --index-url $(TORCH_INDEX) $$(grep '^torch==' requirements.txt))
	$(BIN)/pip install --quiet -r requirements.txt
	@touch $@

.venv/dev: .venv/app requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

setup: .venv/dev

app: .venv/app
	$(BIN)/streamlit run app.py

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --reruns 1 --rerun-show-tracebacks -r s

train: .venv/app
	$(BIN)/python -m recommender train all --data $(DATA) $(if $(METADATA),--metadata $(METADATA))

reproduce: .venv/app
	$(BIN)/python -m recommender evaluate all --data $(DATA)
	$(BIN)/python -m recommender tables --write

bench: .venv/dev
	$(BIN)/python -m recommender.bench

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: .venv/dev
	$(BIN)/pip-audit -r requirements.txt
	$(BIN)/python tests/leaks.py

.venv-peers/done: requirements-peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv --upgrade-deps .venv-peers
	$(if $(TORCH_INDEX),.venv-peers/bin/pip install --quiet --index-url $(TORCH_INDEX) $$(grep '^torch==' requirements-peers.txt))
	.venv-peers/bin/pip install --quiet -r requirements-peers.txt
	@touch $@

peers: .venv/app .venv-peers/done
	$(BIN)/python -m recommender.evaluate.peers --data $(DATA)
	.venv-peers/bin/python tests/peers/rank.py data/prepared/evaluate/peers $(PEERS)
