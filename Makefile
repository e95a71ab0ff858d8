# Two commands: `make up` starts a shop, `make test` runs every test.
# Without make: see "Without make" in README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Shops of tests are thrown away: where memory has 8 GB for them, nobody waits for a disk.
MEMORY := /dev/shm
TEMPORARY = $(shell df -k $(MEMORY) 2>/dev/null | awk 'END { if ($$4 > 8000000) print "TMPDIR=$(MEMORY)" }')

# Otherwise each of thousands of processes would compile all of Bodega anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test check fast slow clean

up: $(VENV)/.installed
	$(BIN)/bodega up $(ARGS)

test: fast slow

fast: $(VENV)/.installed-dev
	$(TEMPORARY) $(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal

slow: $(VENV)/.installed-dev
	$(TEMPORARY) $(BIN)/python -m pytest -m slow -n 2 --dist loadfile --durations 40

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p bodega_sdk -p bodega -p bodega_realtime -p bodega_manifests \
		-p bodega_accounts -p bodega_products -p bodega_inventory -p bodega_imports -p bodega_webhooks -p bodega_notifications \
		-p bodega_media -p bodega_reviews -p bodega_wishlists -p bodega_pulses \
		-p bodega_orders -p bodega_coupons -p bodega_payments \
		-p bodega_analytics

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Bodega needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make virtual environments here; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
