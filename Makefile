# Rollcall. Plain `make` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build check test race lint fmt bench faults fuzz

# Installs the programs that a target needs, unless they are installed.
ready = settings=$$(.ci/install $(1)); eval "$$settings"

# The build stamps the version itself: Go's stamping fails in a checkout that another account owns. Without the paths of the checkout, another
# checkout finds the same packages in the build cache.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false -trimpath)
version := $(shell git describe --tags --always --dirty 2>/dev/null)
build := go build $(if $(version),-ldflags "-X rollcall/bootstrap.version=$(version)") -o bin/rollcall .

# The linter has its own module, which keeps its two hundred dependencies out of the program's.
linter := go tool -modfile=.ci/tools/go.mod golangci-lint

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s%s\n", $$1, $$2 }' Makefile

run: ## install missing programs and serve on 127.0.0.1:5000 (ARGS="--listen ..." adds flags)
	@$(call ready,go postgres); $(build); exec bin/rollcall serve $(ARGS)

build: ## build bin/rollcall
	@$(call ready,go); $(build)

# The longest packages come first: the shorter ones keep the other processor busy at the end.
longest := ./adapters/postgres ./adapters/localpg ./adapters/web

check: lint ## lint, then run the unit and contract tests: two minutes, against ten of `make test`
	@$(call ready,go postgres openpyxl xlsx2csv); go test $(longest) $$(go list ./... | grep -Ev '/test/(acceptance|browser|faults)$$')

test: ## run all tests with the race detector
	@$(call ready,go postgres cc chromium firefox openpyxl xlsx2csv ip); go test $$race -timeout 30m ./test/acceptance ./test/browser ./test/faults $(longest) ./...

race: ## run the tests COUNT times (5) in random order, to find flaky ones
	@$(call ready,go postgres cc chromium firefox openpyxl xlsx2csv ip); go test -race -count=$(or $(COUNT),5) -shuffle=on ./...

lint: ## run the linters of .golangci.yaml
	@$(call ready,go); $(linter) run ./...

fmt: ## format the code
	@$(call ready,go); $(linter) fmt ./...

# Counts the rows that pages of users read under every filter, alone and in pairs, in every order.
large_directory := go test ./adapters/postgres -count=1 -timeout 1h -v -run TestPagesOfLargeDirectory -args -users 1000000

bench: ## measure imports against a plain COPY of the same rows (ARGS="..." adds flags)
	@$(call ready,go postgres); $(build); go run ./test/bench $(ARGS)
	@$(if $(ARGS),,$(call ready,go postgres); $(large_directory))

faults: ## run the fault tests at length: kills, cut networks, full disks, floods (ARGS="-run ..." selects)
	@$(call ready,go postgres cc ip libreoffice); go test ./test/faults -count=1 -timeout 6h -v $(ARGS) -args -long

# Go before 1.27 sometimes reports the end of FUZZTIME as a failure (golang/go#75804), with `context deadline exceeded` on a line.
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@$(call ready,go postgres); log=$$(mktemp); trap 'rm -f "$$log"' EXIT; go test -list '^Fuzz' ./... | \
		awk '/^Fuzz/ { targets[++n] = $$1 } /^ok/ { for (; n > 0; n--) print $$2, targets[n] }' | \
		while read -r package target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 10x "$$package" | tee "$$log" || \
				grep -qx '    context deadline exceeded' "$$log"; \
		done
