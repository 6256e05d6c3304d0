# Everything that is done with this repository, one word each. `make` alone lists the words.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))
# The command that the endurance programs run; `make build` makes it.
BINARY ?= .build/release/weighbridge
SEEDS ?= 100000
ROUNDS ?= 500
CUTS ?= 200
CLIENTS ?= 500
USERS ?= 2000000
SEEDS_PEER ?= 8
SECONDS_LONG ?= 600

PORT ?= 8080
KEEP ?=
ENTRIES ?= 1000000
GATEWAY_SOAK ?= 1000000
MUTATIONS ?= 1000
SWIFT ?= swift
PYTHON ?= python3
SWIFT_FILES = Package.swift Sources Tests $(wildcard FuzzTesting Benchmarks)
# Two, as the transformers that goes with Debian's PyTorch and the tokenizers that knows Unicode 15 exclude each other.
ORACLE_VENV = .venv-oracle
ORACLES_VENV = .venv-oracles
TARGET ?= gguf
# With the Swift libraries linked in: a program that needs no toolchain where it runs, and one call less between it and them.
RELEASE = -c release --static-swift-stdlib
SECONDS ?= 60
TRAINING_VENV = .venv-training
ENCODER_VENV = .venv-encoder
DATA ?=

help: ## list these words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 19

run: build ## build, start on loopback and show a first minute of real requests (PORT=8080; KEEP=1 leaves the server running)
	@$(PYTHON) Examples/first-minute.py --port $(PORT) $(if $(KEEP),--keep)

build: deps ## build the command in release mode
	@$(SWIFT) build $(RELEASE) --product weighbridge

# What failed is said again at the end, where it is found below a thousand tests that did not.
tests = $(SWIFT) test --skip-build --disable-xctest $(1) 2>&1 | tee .build/tests.log \
  || { echo; echo "What failed:"; grep -A 4 -E 'recorded an issue|error:' .build/tests.log; exit 1; } >&2

# In two runs: those that start processes watch what arrives when, and the others leave them no processor.
# A few tests at once: where all thousand begin together, each waits minutes for its turn between two lines.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= $(shell echo $$((2 * $$(nproc))))
test: deps ## build and run all tests
	@$(SWIFT) build --build-tests
	@$(call tests,--skip EndToEndTests)
	@$(call tests,--filter EndToEndTests)

test-neon: ## run the kernels for 64-bit Arm under emulation, with and without dot products (qemu-user and gcc-aarch64-linux-gnu are needed)
	@SWIFT=$(SWIFT) Tests/Neon/run.sh $(ARGS)

test-clients: build ## run the clients of OpenAI, Anthropic, LangChain, LlamaIndex and instructor against the gateway, in virtual environments
	@for group in clients frameworks; do \
	  test -x .venv-$$group/bin/python || $(PYTHON) -m venv .venv-$$group; \
	  .venv-$$group/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Clients/requirements-$$group.txt || exit 1; \
	  .venv-$$group/bin/python Tests/Clients/run.py $$group || exit 1; \
	done

test-schema: build ## have schemathesis make requests from /openapi.json, and from OpenAI's document in DATA=folder (ARGS="--examples 500")
	@test -x .venv-schema/bin/python || $(PYTHON) -m venv .venv-schema
	@.venv-schema/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Schema/requirements.txt
	@.venv-schema/bin/python Tests/Schema/run.py $(if $(DATA),--data $(DATA)) $(ARGS)

$(ORACLE_VENV)/bin/python: Tests/Oracles/requirements-models.txt
	@/usr/bin/python3 -c 'import torch' || { echo "PyTorch is missing: apt-get install python3-torch" >&2; exit 1; }
	@/usr/bin/python3 -m venv --system-site-packages $(ORACLE_VENV)
	@$(ORACLE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Oracles/requirements-models.txt
	@touch $@

fixtures: $(ORACLE_VENV)/bin/python ## make the models and blocks of Tests/Fixtures/Engine anew with PyTorch, transformers and gguf
	@$(ORACLE_VENV)/bin/python Tests/Oracles/fixtures.py

oracle: build $(ORACLE_VENV)/bin/python ## compare logits and greedy tokens of every weight type and architecture with transformers
	@$(ORACLE_VENV)/bin/python Tests/Oracles/compare.py

fuzz: ## fuzz a parser, guided by coverage (TARGET=gguf SECONDS=60; failing inputs go to FuzzTesting/FailCases)
	@FuzzTesting/fuzz $(TARGET) $(SECONDS)

bench-audience: deps ## measure the counting of users: time per user in every structure, merges (ARGS=error or ARGS=license for more)
	@$(SWIFT) build $(RELEASE) --product audience-bench
	@for what in $(or $(ARGS),speed merge); do .build/release/audience-bench $$what; done

bench-audience-peer: deps ## count one stream here and with the PyPI package datasketches: error, bytes, time (USERS=2000000 SEEDS_PEER=8)
	@test -x .venv-audience/bin/python || $(PYTHON) -m venv .venv-audience
	@.venv-audience/bin/python -m pip install --quiet --disable-pip-version-check -r Benchmarks/Audience/requirements.txt
	@$(SWIFT) build $(RELEASE) --product audience-bench
	@.build/release/audience-bench stream $(USERS) $(SEEDS_PEER)
	@.venv-audience/bin/python Benchmarks/Audience/datasketches_side.py $(USERS) $(SEEDS_PEER)

bench-terms: deps ## measure license decisions: loading all term files, plans, standings, look-ups (add ARGS=PARTIES)
	@$(SWIFT) run $(RELEASE) terms-bench $(ARGS)

bench-billing: deps ## measure billing: tables of 1,000,000 records, invoices of 10,000 customers
	@$(SWIFT) build $(RELEASE) --product billing-bench
	@.build/release/billing-bench tables
	@.build/release/billing-bench invoices

bench-billing-routes: deps ## the same through a running gateway over HTTP, from a store that is filled first (ARGS="--records 500000 --customers 1000" for a bundle of a million entries)
	@$(SWIFT) build $(RELEASE) --product weighbridge
	@$(SWIFT) build $(RELEASE) --product billing-bench
	@$(PYTHON) Benchmarks/Billing/routes.py $(ARGS)

conformance: deps ## put sample invoices and FOCUS tables before the official validators, in virtual environments
	@test -x .venv-invoices/bin/python || $(PYTHON) -m venv .venv-invoices
	@.venv-invoices/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Conformance/requirements-invoices.txt
	@test -x .venv-focus/bin/python || $(PYTHON) -m venv .venv-focus
	@.venv-focus/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Conformance/requirements-focus.txt
	@mkdir -p .build/conformance
	@$(SWIFT) build $(RELEASE) --product billing-bench
	@.build/release/billing-bench samples .build/conformance
	@.venv-invoices/bin/python Tests/Conformance/conformance.py invoices .build/conformance
	@.venv-focus/bin/python Tests/Conformance/conformance.py focus .build/conformance .venv-focus/bin/focus-validator
	@$(PYTHON) Tests/Conformance/conformance.py paper .build/conformance

simulate: deps ## play seeded schedules against the gate and audit each step (SEEDS=100000)
	@$(SWIFT) run $(RELEASE) simulate --seeds $(SEEDS)

simulate-mutants: deps ## plant deliberate bugs, one at a time, and show that the simulation finds each
	@$(PYTHON) Tests/Endurance/simulate_mutants.py $(ARGS)

crash-rounds: ## kill -9 under 64 streams, again and again, checked from outside (ROUNDS=500 BINARY=.build/release/weighbridge)
	@$(PYTHON) Tests/Endurance/crash_rounds.py $(BINARY) --rounds $(ROUNDS) $(ARGS)

power-cuts: ## cut the power under streams, torn sectors included (CUTS=200 BINARY=…)
	@$(PYTHON) Tests/Endurance/power_cuts.py $(BINARY) --cuts $(CUTS) $(ARGS)

limit-contest: ## 500 clients against one limit for ten minutes (CLIENTS=500 SECONDS_LONG=600 BINARY=…)
	@$(PYTHON) Tests/Endurance/limit_contest.py $(BINARY) --clients $(CLIENTS) --seconds $(SECONDS_LONG) $(ARGS)

comma := ,
ENGINE_BENCH := .build/engine-bench
ENGINE_MODELS ?= 1b-Q4_0,1b-Q8_0,1b-Q4_K_M,1b-Q5_K_M,1b-Q6_K,1b-F16,7b-Q4_0
ENGINE_ROUNDS ?= 5
PEER_PYTHON ?= $(ENGINE_BENCH)/venv/bin/python

# llama.cpp, compiled for this machine: a long build, once.
$(ENGINE_BENCH)/venv/bin/python: Benchmarks/Engine/requirements.txt
	@mkdir -p $(ENGINE_BENCH) && $(PYTHON) -m venv $(ENGINE_BENCH)/venv
	@CMAKE_ARGS="-DGGML_NATIVE=ON" $@ -m pip install --disable-pip-version-check --no-binary llama-cpp-python -r $<
	@touch $@

bench-engine: deps $(PEER_PYTHON) ## the engine beside llama.cpp on random models, in turn, medians and ratios (PEER_PYTHON=… ENGINE_ROUNDS=5 ENGINE_MODELS=1b-Q4_0,…)
	@$(SWIFT) build $(RELEASE) --product weighbridge
	@$(PEER_PYTHON) Benchmarks/Engine/models.py $(ENGINE_BENCH)/models $(subst $(comma), ,$(ENGINE_MODELS))
	@$(PYTHON) Benchmarks/Engine/bench.py --command .build/release/weighbridge --peer-python $(PEER_PYTHON) \
		--models $(ENGINE_BENCH)/models --rounds $(ENGINE_ROUNDS) --names $(ENGINE_MODELS) $(ARGS)

LOAD_MODEL ?= $(ENGINE_BENCH)/models/1b-Q8_0.gguf
bench-engine-load: deps $(PEER_PYTHON) ## 16 streams with one beginning beside llama.cpp, the wait beside a long prompt, allocations (LOAD_MODEL=…, ARGS="--rounds 5")
	@$(SWIFT) build $(RELEASE) --product engine-load
	@test -f $(LOAD_MODEL) || $(PEER_PYTHON) Benchmarks/Engine/models.py $(ENGINE_BENCH)/models 1b-Q8_0
	@cc -O2 -shared -fPIC -o .build/allocations.so Benchmarks/AcceptableUse/allocations.c
	@$(PYTHON) Benchmarks/EngineLoad/load.py --engine-load .build/release/engine-load --peer-python $(PEER_PYTHON) --model $(LOAD_MODEL) \
		--preload $(CURDIR)/.build/allocations.so $(ARGS)

SOAK ?= 10000
SOAK_MODEL ?= $(ENGINE_BENCH)/models/tiny-Q8_0.gguf
soak-engine: deps $(PEER_PYTHON) ## thousands of short requests through one engine: what memory the last nine tenths of them add (SOAK_MODEL=… SOAK=10000)
	@$(SWIFT) build $(RELEASE) --product engine-load
	@test -f $(SOAK_MODEL) || $(PEER_PYTHON) Benchmarks/Engine/models.py $(ENGINE_BENCH)/models tiny-Q8_0
	@.build/release/engine-load --model $(SOAK_MODEL) --soak $(SOAK) --only soak

bench-ledger: deps ## measure the ledger: in memory, rows/s beside raw SQLite, durable pairs/s
	@$(SWIFT) build $(RELEASE) --product ledger-bench
	@for what in memory rows pairs; do directory=$$(mktemp -d) && .build/release/ledger-bench $$what $$directory/store && rm -rf $$directory; done

test-tsan: deps ## run the concurrent tests of ledger, gate and store under the thread sanitizer (ARGS="--filter …")
	@$(PYTHON) Tests/Endurance/tsan.py $(ARGS)

oracle-tokenizers: $(ORACLES_VENV) deps ## compare token ids with tokenizers, tiktoken and sentencepiece on generated texts (DATA=folder with data/tokenizer/; COUNT=10000 SEED=…)
	@test -n "$(DATA)" || { echo "Name the folder that holds data/tokenizer/: make oracle-tokenizers DATA=…" >&2; exit 1; }
	@rm -rf .build/oracles && mkdir -p .build/oracles
	@$(ORACLES_VENV)/bin/python Tests/Oracles/tokenizer_vectors.py generate .build/oracles Tests/Oracles/Tokenizers $(DATA)
	@WEIGHBRIDGE_SHARED=$(abspath $(DATA)) WEIGHBRIDGE_TOKENIZER_VECTORS=$(CURDIR)/.build/oracles $(SWIFT) test --disable-xctest --filter TokenizerVectorTests

oracle-schemas: $(ORACLES_VENV) deps ## have a thousand texts of random weights, held to random schemas, checked by jsonschema (SEED=1)
	@rm -rf .build/oracles && mkdir -p .build/oracles
	@WEIGHBRIDGE_SCHEMA_OUTPUTS=$(CURDIR)/.build/oracles $(SWIFT) test --disable-xctest --filter SchemaOracleTests
	@$(ORACLES_VENV)/bin/python Tests/Oracles/check_schemas.py .build/oracles

$(ORACLES_VENV): Tests/Oracles/requirements.txt
	@test -x $@/bin/python || $(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

bench-audit: deps ## write and verify a bundle of a million entries, beside sha256sum over the same bytes (ENTRIES=1000000)
	@$(SWIFT) build $(RELEASE) --product audit-bench
	@Benchmarks/Audit/bench.sh $(ENTRIES)

audit-mutations: deps ## a thousand random single mutations of a bundle, each judged by both verifiers (MUTATIONS=1000)
	@$(SWIFT) build --build-tests
	@WEIGHBRIDGE_MUTATIONS=$(MUTATIONS) $(SWIFT) test --skip-build --disable-xctest --filter MutationTests

bench-aup: deps ## measure the check of a prompt of 1 KiB, rules and classifier: microseconds and allocations
	@$(SWIFT) build $(RELEASE) --product acceptable-use-bench
	@cc -O2 -shared -fPIC -o .build/allocations.so Benchmarks/AcceptableUse/allocations.c
	@LD_PRELOAD=.build/allocations.so .build/release/acceptable-use-bench Policies Policies/classifier/linear.weights $(ARGS)

$(TRAINING_VENV)/bin/python: Training/AcceptableUse/requirements.txt
	@$(PYTHON) -m venv $(TRAINING_VENV)
	@$(TRAINING_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r Training/AcceptableUse/requirements.txt
	@touch $@

bench-encoder: deps ## time the text encoder in the shape of small encoders, random weights, one thread (ARGS="tokens rounds")
	@$(SWIFT) build $(RELEASE) --product encoder-bench
	@.build/release/encoder-bench $(ARGS)

train-aup: $(TRAINING_VENV)/bin/python ## train the acceptable-use classifier on DATA=folder (see Policies/classifier/README.md)
	@test -n "$(DATA)" || { echo "Name the folder of train.jsonl and tune.jsonl: make train-aup DATA=…" >&2; exit 1; }
	@$(TRAINING_VENV)/bin/python Training/AcceptableUse/train.py $(DATA) --weights Policies/classifier/linear.weights --golden Policies/classifier/golden.jsonl $(ARGS)

$(ENCODER_VENV)/bin/python: Training/AcceptableUse/requirements-encoder.txt
	@$(PYTHON) -m venv $(ENCODER_VENV)
	@$(ENCODER_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r Training/AcceptableUse/requirements-encoder.txt
	@touch $@

train-encoder: $(ENCODER_VENV)/bin/python ## fine-tune an encoder of your own, BASE=folder in BERT's form, on DATA=folder into OUT=folder (policies.encoder)
	@test -n "$(DATA)" -a -n "$(BASE)" -a -n "$(OUT)" || { echo "Name the folders: make train-encoder DATA=… BASE=… OUT=…" >&2; exit 1; }
	@$(ENCODER_VENV)/bin/python Training/AcceptableUse/encoder.py $(DATA) --base $(BASE) --weights Policies/classifier/linear.weights --output $(OUT) $(ARGS)

eval-aup: build $(TRAINING_VENV)/bin/python ## measure rules and classifier on DATA=folder, per source and item, beside the anchors' figures (ARGS="--encoder folder")
	@test -n "$(DATA)" || { echo "Name the folder of tune.jsonl: make eval-aup DATA=…" >&2; exit 1; }
	@$(TRAINING_VENV)/bin/python Training/AcceptableUse/evaluate.py $(DATA) --command .build/release/weighbridge $(ARGS)

table-aup: deps ## write docs/acceptable-use.md again from the term file, the packs, the weights and the figures
	@$(SWIFT) build --build-tests
	@WEIGHBRIDGE_WRITE_TABLE=1 $(SWIFT) test --skip-build --disable-xctest --filter CoverageTableTests

bench-gateway: ## measure what governing a request costs, lane by lane (add ARGS=… for more; wrk and nginx are needed)
	@command -v wrk > /dev/null && command -v nginx > /dev/null || { echo "wrk and nginx are needed: apt-get install wrk nginx-light" >&2; exit 1; }
	@for product in weighbridge gateway-upstream gateway-plain; do $(SWIFT) build $(RELEASE) --product $$product; done
	@$(PYTHON) Benchmarks/Gateway/load_lab.py $(ARGS)

soak-gateway: ## a million requests through one gateway: what memory they add (GATEWAY_SOAK=1000000)
	@command -v wrk > /dev/null || { echo "wrk is needed: apt-get install wrk" >&2; exit 1; }
	@for product in weighbridge gateway-upstream; do $(SWIFT) build $(RELEASE) --product $$product; done
	@$(PYTHON) Benchmarks/Gateway/load_lab.py --soak $(GATEWAY_SOAK) --lanes durable --connections 64 --seconds 20 $(ARGS)

lint: ## check the format of all Swift files
	@$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_FILES)

format: ## format all Swift files in place
	@$(SWIFT) format --in-place --parallel --recursive $(SWIFT_FILES)

deps: ## install the system packages that are missing, and look for the Swift toolchain
	@deploy/install-system-packages.sh
	@command -v $(SWIFT) > /dev/null || { echo "There is no '$(SWIFT)' in PATH. Install Swift 6.2 or later: https://www.swift.org/install/linux/" >&2; exit 1; }

clean: ## remove what was built
	@rm -rf .build .venv-clients .venv-frameworks .venv-schema .venv-audience $(ORACLE_VENV) $(ORACLES_VENV) $(TRAINING_VENV)
