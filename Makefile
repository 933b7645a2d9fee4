# Rollcall. `make` alone says what there is to make.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run build test race lint fmt bench faults fuzz

# What a target needs is installed first, unless it is there.
ready = settings=$$(.ci/install $(1)); eval "$$settings"

# The version is stamped below, and Go's own stamping fails in a checkout that belongs to somebody else.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)
version := $(shell git describe --tags --always --dirty 2>/dev/null)
build := go build $(if $(version),-ldflags "-X rollcall/bootstrap.version=$(version)") -o bin/rollcall .

# The linter has a module of its own, so that its two hundred dependencies are not the program's.
linter := go tool -modfile=.ci/tools/go.mod golangci-lint

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s%s\n", $$1, $$2 }' Makefile

run: ## install what is missing, and serve on 127.0.0.1:5000 (ARGS="--listen ..." for flags)
	@$(call ready,go postgres); $(build); exec bin/rollcall serve $(ARGS)

build: ## build bin/rollcall
	@$(call ready,go); $(build)

test: ## install what the tests need, and run them all, with the race detector
	@$(call ready,go postgres cc chromium openpyxl ip); go test $$race -timeout 30m ./...

race: ## run the tests COUNT times (5), each time in another order: for what fails now and then
	@$(call ready,go postgres cc chromium openpyxl ip); go test -race -count=$(or $(COUNT),5) -shuffle=on ./...

lint: ## check the code against .golangci.yaml
	@$(call ready,go); $(linter) run ./...

fmt: ## format the code
	@$(call ready,go); $(linter) fmt ./...

bench: ## measure imports against a bare COPY of the same rows (ARGS="..." for flags)
	@$(call ready,go postgres); $(build); go run ./test/bench $(ARGS)

faults: ## kill, cut off, fill up and flood what it runs on, at length, and look for what was lost (ARGS="-run ..." for a part)
	@$(call ready,go postgres cc ip libreoffice); go test ./test/faults -count=1 -timeout 6h -v $(ARGS) -args -long

# Go before 1.27 now and then takes the end of FUZZTIME itself for a failure (golang/go#75804), which it then says in a line of its own.
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@$(call ready,go postgres); log=$$(mktemp); trap 'rm -f "$$log"' EXIT; go test -list '^Fuzz' ./... | \
		awk '/^Fuzz/ { targets[++n] = $$1 } /^ok/ { for (; n > 0; n--) print $$2, targets[n] }' | \
		while read -r package target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 10x "$$package" | tee "$$log" || \
				grep -qx '    context deadline exceeded' "$$log"; \
		done
