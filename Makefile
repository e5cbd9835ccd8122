# Cost Agent. `make help` lists what there is to do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo import test google fuzz verify bench bench-analysis build deploy clean python

GO            ?= go
LOCAL         := .local/bin/cost-agent
GOLANGCI      := $(CURDIR)/.local/bin/golangci-lint
GOLANGCI_VERSION := v2.15.0
FAKE_GCS      := $(CURDIR)/.local/bin/fake-gcs-server
FAKE_GCS_VERSION := v1.56.1
PYTHON_HOME   := $(CURDIR)/.local/python
PYTHON_NEEDS  := local/python/requirements.txt
FUNCTIONS     := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
# What AWS runs: small, reproducible, without the RPC mode that Lambda no longer uses, and without the pages of gRPC that show
# its traces: their templates would keep every method of every client in the file, which doubles it.
LAMBDA_BUILD  := GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -trimpath -tags lambda.norpc,grpcnotrace -ldflags "-s -w"

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start everything on this machine, show the main job on demo data, serve http://127.0.0.1:8080
	@$(GO) build -o $(LOCAL) ./local && exec $(LOCAL) run

demo: ## do the same once in a throw-away place, check every figure against the sandbox's ground truth, and stop
	@$(GO) build -o $(LOCAL) ./local && exec $(LOCAL) demo

import: ## load a FOCUS bill into the running agent: make import FILE=bill.csv.gz
	@test -n "$(FILE)" || { echo "Say which file: make import FILE=bill.csv.gz"; exit 2; }
	@$(GO) build -o $(LOCAL) ./local && exec $(LOCAL) import "$(FILE)"

test: python ## run all tests, against a real PostgreSQL
	@if test -n "$$CI"; then $(MAKE) --no-print-directory google; \
	else echo "The SQL of Google's bill is checked by make google, and in CI: building its analyzer takes minutes."; fi
	@PATH="$(PYTHON_HOME)/bin:$$PATH" $(GO) test -timeout 20m ./...
	@$(GO) test -count=1 ./shared

google: $(FAKE_GCS) ## check the SQL of Google's bill by BigQuery's own grammar (minutes and 7 GB of memory, the first time)
	cd shared/cloud/gcp/sqlcheck && $(GO) test -count=1 ./... # the queries lie outside this module, where the cache does not look

fuzz: ## look for inputs that break parsers, forecasts, trends and the detector, a minute each
	$(GO) test -run '^$$' -fuzz FuzzCSV -fuzztime 1m ./shared/focus
	$(GO) test -run '^$$' -fuzz FuzzValues -fuzztime 1m -fuzzminimizetime 10x ./shared/forecast
	$(GO) test -run '^$$' -fuzz FuzzDaily -fuzztime 1m -fuzzminimizetime 10x ./shared/forecast
	$(GO) test -run '^$$' -fuzz FuzzReconcile -fuzztime 1m -fuzzminimizetime 10x ./shared/forecast
	$(GO) test -run '^$$' -fuzz FuzzDetect -fuzztime 1m -fuzzminimizetime 10x ./shared/anomaly
	$(GO) test -run '^$$' -fuzz FuzzDescribe -fuzztime 1m -fuzzminimizetime 10x ./shared/trend

verify: python $(GOLANGCI) ## format, lint, regenerate, check layers, template and state machines; fails on a dirty tree
	$(GO) mod tidy -diff
	$(GO) run ./local openapi > docs/openapi.json
	$(GOLANGCI) fmt --diff
	$(GOLANGCI) run
	$(GO) test -count=1 ./shared ./statemachines ./functions/...
	PATH="$(PYTHON_HOME)/bin:$$PATH" cfn-lint template.yaml
	@test -z "$$(git status --porcelain)" || { echo "The tree is dirty:"; git status --short; exit 1; }

bench: ## measure; ratios are taken within one run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./shared/... ./local/...

# The public and synthetic series are no part of this repository.
DATA := $(or $(COST_AGENT_DATA),../shared/data)

bench-analysis: ## measure anomalies and forecasts on benchmark data (COST_AGENT_DATA or ../shared/data), and a whole analysis
	@if test -d "$(DATA)"; then \
		echo "Anomalies:" && $(GO) run ./shared/anomaly/benchmark -data "$(DATA)" && \
		echo "Anomalies of bills by sensitivity:" && $(GO) run ./shared/anomaly/benchmark -data "$(DATA)" -sensitivities && \
		echo "Forecasts:" && $(GO) run ./shared/forecast/benchmark -data "$(DATA)/forecast" && \
		echo "Forecasts without ARIMA:" && $(GO) run ./shared/forecast/benchmark -data "$(DATA)/forecast" -fast && \
		echo "Forecasts of bills before and after reconciliation:" && $(GO) run ./shared/forecast/benchmark -bills "$(DATA)/cost_synth"; \
	else echo "There is no benchmark data in $(DATA): set COST_AGENT_DATA to the folder that holds it. Accuracy is not measured."; fi
	$(GO) test -run '^$$' -bench 'BenchmarkAnalyze$$' -benchtime 1x ./shared/postgres

build: ## pack the functions for AWS Lambda (arm64) into build/
	@for f in $(FUNCTIONS); do \
		mkdir -p build/$$f && $(LAMBDA_BUILD) -o build/$$f/bootstrap ./functions/$$f || exit 1; \
		printf '  %-16s %6.1f MB\n' $$f $$(stat -c %s build/$$f/bootstrap | awk '{print $$1/1e6}'); \
	done

# What `sam build` calls for a function: CollectAwsFunction is the folder functions/collect-aws. A function that opens the
# database gets the list of certificate authorities of Aurora, which no operating system ships.
build-%Function: FOLDER = ./functions/$(shell echo $* | sed -E 's/([a-z])([A-Z])/\1-\2/g' | tr A-Z a-z)
build-%Function: build/rds-ca.pem
	$(LAMBDA_BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" $(FOLDER)
	@! $(GO) list -deps $(FOLDER) | grep -q '/shared/postgres$$' || cp build/rds-ca.pem "$(ARTIFACTS_DIR)/"

# SAM builds many functions at once, so each fetches into a file of its own.
build/rds-ca.pem:
	@mkdir -p build
	curl -fsS -o $@.$$$$ https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem && mv $@.$$$$ $@

deploy: ## build and deploy with SAM (needs AWS credentials and the SAM CLI)
	@command -v sam >/dev/null || { echo "Install the AWS SAM CLI first, then run make deploy again."; exit 2; }
	sam build && sam deploy

clean: ## remove what was built; your data under .local/ stays
	rm -rf build .aws-sam

# The tools written in Python: moto plays AWS for the tests, cfn-lint reads the template. Without Python, what needs them is
# skipped with a word, except in CI.
python: $(PYTHON_HOME)/ready

$(PYTHON_HOME)/ready: $(PYTHON_NEEDS)
	@mkdir -p $(PYTHON_HOME)
	@if ! command -v python3 >/dev/null || ! python3 -m venv $(PYTHON_HOME) >/dev/null 2>&1; then \
		echo "No Python with venv here: the tests against moto and cfn-lint are skipped."; \
		test -z "$$CI" || exit 1; \
	else \
		echo "Installing moto and cfn-lint into .local/python (once)"; \
		$(PYTHON_HOME)/bin/pip install -q --disable-pip-version-check -r $(PYTHON_NEEDS) && touch $@; \
	fi

$(GOLANGCI):
	@echo "Building golangci-lint $(GOLANGCI_VERSION) (once, a few minutes)"
	@GOBIN=$(dir $@) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

# It plays Cloud Storage. Without it, what needs it is skipped with a word, except in CI.
$(FAKE_GCS):
	@echo "Building fake-gcs-server $(FAKE_GCS_VERSION) (once, a minute)"
	@GOBIN=$(dir $@) $(GO) install github.com/fsouza/fake-gcs-server@$(FAKE_GCS_VERSION)
