# One command each. Everything lives in .venv; `make setup` brings what is missing, system packages included.
VENV := .venv
BIN := $(VENV)/bin
SYSTEM := mosquitto libzbar0 fonts-wqy-microhei
# libatomic1 is for the program that drives the browser; mmdebstrap makes the Debian that the packages are tried on
TESTING := postgresql chromium libatomic1 mmdebstrap
TILLS := tests/tap_streams
EMULATOR := qemu-system-x86 busybox-static cpio kmod

.PHONY: drills help setup demo smoke test lint check lab deb bench bench-decode tap-streams tap-judge docs clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(VENV)/.ready ## system packages, virtual environment, links

# main.py stands beside the links, so an install copies it
$(VENV)/.ready: pyproject.toml requirements.lock src/tillbox/main.py
	@tools/system-packages $(SYSTEM)
	@python3 -c 'import ensurepip' 2>/dev/null || tools/system-packages python3-venv
	test -x $(BIN)/python || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## a whole shop on this machine: counter, console, two boxes
	$(BIN)/tillbox demo --port $(or $(PORT),8080) --console-port $(or $(CONSOLE_PORT),8081)

smoke: setup ## the demo without a person, judged in one JSON line
	@$(BIN)/tillbox smoke

test: lint ## everything that decides: format, lint, types, layers; unit, property, conformance, simulation, browser; the longest stories are in make drills
	@tools/system-packages $(TESTING)
	$(BIN)/python -m pytest -q -n 2 -m "not browser and not mosquitto and not drill"
	$(BIN)/python -m pytest -q -n 3 --dist loadfile -m "mosquitto and not browser and not drill" tests/conformance tests/simulation tests/deploy
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not drill" tests/browser

drills: setup ## the long stories that `make test` leaves out: an update gone wrong, a town of boxes, a till that is watched, the compose file
	@tools/system-packages $(TESTING)
	$(BIN)/python -m pytest -q -m drill

lint: setup ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## what to run while working: lint and the quick tests
	$(BIN)/python -m pytest -q -x -m "not slow and not postgres and not browser and not mosquitto" -n 2

lab: setup ## the device tests, on real devices of a real kernel in a machine of its own; the last line is JSON
	@tools/system-packages $(EMULATOR) >&2
	@$(BIN)/python lab/run.py $(TESTS)

deb: setup ## Debian packages for this machine's architecture, in dist: see docs/install.md
	@$(BIN)/python deploy/debian/build.py --out dist $(if $(VERSION),--version $(VERSION))

bench: setup ## figures, each beside a reference in the same run
	@tools/system-packages postgresql
	@for one in bench/[a-z]*.py; do $(BIN)/python $$one || exit 1; done

bench-decode: setup ## how well codes are read, beside each decoder alone; IMAGES=DIR for photographs
	$(BIN)/tillbox bench decode $(if $(IMAGES),--images $(IMAGES)) --write docs/decoding.md
	$(BIN)/tillbox bench camera --write docs/camera.md

tap-judge: tap-streams ## the tap over SEEDS receipts of each generator, one JSON line (1,000 by default, about two minutes)
	$(TILLS)/.venv/bin/python $(TILLS)/generate.py --seeds $(or $(SEEDS),1000) --out var/tap >&2
	@$(BIN)/python $(TILLS)/judge.py var/tap

tap-streams: ## foreign tills that print, for the receipt tap: installs four generators, regenerates tests/golden/tap
	@command -v npm >/dev/null || tools/system-packages nodejs npm
	test -x $(TILLS)/.venv/bin/python || python3 -m venv $(TILLS)/.venv
	$(TILLS)/.venv/bin/python -m pip install --quiet --require-hashes --no-deps -r $(TILLS)/requirements.txt
	npm ci --prefix $(TILLS) --ignore-scripts --no-audit --no-fund --silent
	python3 $(TILLS)/generate.py --golden

docs: setup ## what is generated from the code
	$(BIN)/python -m tillbox.agent.diagram > docs/till.mmd
	@{ printf '# The till, drawn from its table\n\n```mermaid\n'; cat docs/till.mmd; printf '```\n'; } > docs/till.md
	$(BIN)/python -m tillbox.contracts.schemas docs/schemas
	$(BIN)/python -m tillbox.agent.api.server > docs/openapi.json

clean: ## everything that make made
	rm -rf $(VENV) $(TILLS)/.venv $(TILLS)/node_modules var
