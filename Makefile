# The daily habits of the house. `make` prints them.
#
# A fresh machine needs Go, Node with npm, gcc, make and git. Everything else is set up here:
# Go modules and tools at their pinned versions, npm packages from their lock files, and, for
# the browser tests, Debian's Chromium and a Korean font.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

GO   ?= go
LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

# Folders with npm packages of their own: each has a package-lock.json.
JS_DIRS := $(patsubst %/package-lock.json,%,$(wildcard examples/*/package-lock.json test/*/package-lock.json sdk/package-lock.json))
# npm writes this file when an installation is complete.
JS_STAMPS := $(addsuffix /node_modules/.package-lock.json,$(JS_DIRS))

# The longest that all Go tests of one package may take with the race detector on two cores.
TEST_TIMEOUT ?= 15m

.PHONY: help run test check bench demo build clean vet lint setup setup-debian setup-js test-js test-go

help: ## print this
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build examples/shop/node_modules/.package-lock.json ## set up and start Holdfast in sandbox mode with a seeded shop, and the example shop beside it
	@node tools/run.mjs

test: setup vet lint test-js test-go ## set up and run everything: vet, linters, JavaScript, Go with the race detector, browsers

check: vet lint ## the fast part of the tests, before a push: vet, linters, unit tests
	$(GO) test -short ./...

bench: ## measure and print; what was measured stands in docs/performance.md
	$(GO) run ./bench

demo: ## play a whole escrow life without a browser, on a moved clock
	$(GO) run ./cmd/holdfast demo

build: ## build bin/holdfast
	$(GO) build -o bin/holdfast ./cmd/holdfast

clean: ## remove what was built, installed and recorded here; data/ stays
	rm -rf bin artefacts $(addsuffix /node_modules,$(JS_DIRS))

vet:
	$(GO) vet ./...

lint:
	$(LINT) run ./...

setup: setup-debian setup-js

setup-debian:
	@tools/setup-debian.sh

setup-js: $(JS_STAMPS)

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

# JavaScript tests that need no server. Those that do are started by Go tests, which also
# start the server they talk to.
test-js: setup-js
	@for dir in $(JS_DIRS); do echo "npm test: $$dir"; (cd $$dir && npm test --if-present --silent); done

# With CI set, a test whose surroundings are missing fails where it would be skipped otherwise:
# the set-up above has promised them.
test-go: export CI := 1
test-go:
	$(GO) test -race -timeout $(TEST_TIMEOUT) ./...
