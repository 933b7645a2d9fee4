# Rollcall. `make` alone says what there is to make.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run build test race lint fmt bench fuzz

# What a target needs is installed first; the installer prints the go command to use.
go-for = go=$$(.ci/install $(1)) && export GOTOOLCHAIN=auto
version := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ldflags := -ldflags "-X rollcall/bootstrap.version=$(version)"

# golangci-lint has a module of its own, so that its hundred dependencies are not the program's.
tools := .cache/bin

help: ## say what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf '  make %-8s %s\n' "$$target" "$$text"; done

run: ## install what is missing, and serve on 127.0.0.1:5000 (ARGS="--listen ..." for more)
	@$(call go-for,run) && $$go build $(ldflags) -o bin/rollcall . && exec bin/rollcall serve $(ARGS)

build: ## build bin/rollcall
	@$(call go-for,run) && $$go build $(ldflags) -o bin/rollcall .

test: ## install what the tests need, and run them all with the race detector
	@$(call go-for,test) && $$go test -race ./...

race: ## run the tests five times over, in another order each time, to find what depends on it
	@$(call go-for,test) && $$go test -race -count=5 -shuffle=on ./...

lint: ## check the code against .golangci.yaml
	@$(call go-for,run) && $$go build -C .ci/tools -o ../../$(tools)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint \
		&& PATH="$$(dirname $$go):$$PATH" $(tools)/golangci-lint run ./...

fmt: ## format the code
	@$(call go-for,run) && $$go build -C .ci/tools -o ../../$(tools)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint \
		&& PATH="$$(dirname $$go):$$PATH" $(tools)/golangci-lint fmt ./...

bench: ## measure imports against bare COPY, and print the ratios (BENCH="--objects 100000" for less)
	@$(call go-for,test) && $$go build -o bin/rollcall . && $$go run ./test/bench $(BENCH)

FUZZTIME ?= 30s
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@$(call go-for,test) && for package in $$($$go list ./...); do \
		for target in $$($$go test -list '^Fuzz' $$package | grep ^Fuzz); do \
			echo "$$package $$target" && $$go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done
