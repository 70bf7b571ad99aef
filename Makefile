# Two commands matter: `make demo` and `make test`. Both do their own set-up.
SHELL := /bin/bash
GO ?= go
CACHE ?= $(CURDIR)/.cache
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

GOLANGCI_VERSION := v2.15.0

HOLDLINE := $(CACHE)/holdline
KRATOS := $(CACHE)/kratos
AXE_VERSION := 4.11.0
AXE_SHA256 := e9e5863c33a874f09bc01acd9234b7e3c871479f5eef8802fa582544465e6d01
AXE := $(CACHE)/axe-core-$(AXE_VERSION)/axe.min.js
CYCLONEDX_VERSION := v1.10.0
CYCLONEDX := $(CACHE)/cyclonedx-gomod-$(CYCLONEDX_VERSION)/cyclonedx-gomod
GOLANGCI := $(CACHE)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
PHASE := CACHE=$(CACHE) $(CURDIR)/e2e/phase.sh

.PHONY: help before demo test check lint format unit packaging fuzz e2e ory-ui storm soak cluster failover databases cycles oracle scim-suites screenshots scim-scale people bench build dist tools axe debian clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: build $(KRATOS) ## run the whole product: a real Kratos, Holdline, a phone simulator
	@exec $(HOLDLINE) demo --kratos-bin $(KRATOS)

test: ## format, lint, unit tests, packaging, then everything on real servers; ends with what took how long
	@rm -f $(CACHE)/phases.txt
	@$(MAKE) --no-print-directory debian lint unit packaging e2e; failed=$$?; $(PHASE) table; exit $$failed

check: lint unit fuzz ## what to run before a commit; e2e apart

build: ## the holdline program
	@mkdir -p $(CACHE)
	@$(PHASE) "building holdline" env CGO_ENABLED=0 $(GO) build -trimpath -tags nomsgpack -ldflags "-X main.release=$(VERSION)" -o $(HOLDLINE) ./cmd/holdline

dist: $(CYCLONEDX) ## the committed release for linux on amd64 and arm64, made twice: archives, SBOMs, checksums
	@CYCLONEDX=$(CYCLONEDX) ./deploy/dist.sh dist

$(CYCLONEDX):
	@echo "building cyclonedx-gomod $(CYCLONEDX_VERSION)"
	@mkdir -p $(dir $@)
	@GOBIN=$(dir $@) $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)

$(KRATOS): e2e/kratos/go.mod e2e/kratos/go.sum e2e/kratos/main.go
	@./e2e/debian.sh compiler
	@mkdir -p $(CACHE)
	@cd e2e/kratos && $(PHASE) "building Ory Kratos v1.3.1 from its Go module, once" env CGO_ENABLED=1 $(GO) build -tags sqlite -o $(KRATOS) .

$(GOLANGCI):
	@mkdir -p $(dir $@)
	@$(PHASE) "building golangci-lint $(GOLANGCI_VERSION), once" env GOBIN=$(dir $@) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

tools: $(GOLANGCI) ## the linter

$(AXE):
	@./e2e/debian.sh npm
	@echo "fetching axe-core $(AXE_VERSION)"
	@mkdir -p $(dir $@)
	@cd $(dir $@) && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && \
		tar -xzf axe-core-$(AXE_VERSION).tgz --strip-components=1 package/axe.min.js package/LICENSE && \
		echo "$(AXE_SHA256)  axe.min.js" | sha256sum --check --quiet || { rm -f $@; exit 1; }

axe: $(AXE) ## axe-core, which looks for what keeps people out of pages

debian: ## install the Debian packages that the tests need and that are missing
	@$(PHASE) "Debian packages" ./e2e/debian.sh

format: $(GOLANGCI) ## format the code
	@$(GOLANGCI) fmt
	@cd e2e && $(GOLANGCI) fmt
	@cd deploy && $(GOLANGCI) fmt

lint: $(GOLANGCI) ## check format and lint, import rules included
	@$(PHASE) "lint" $(GOLANGCI) run ./...
	@cd e2e && $(PHASE) "lint of e2e" $(GOLANGCI) run ./...
	@cd deploy && $(PHASE) "lint of deploy" $(GOLANGCI) run ./...

# Searches, and what else computes much, that let one goroutine run at a time: the race
# detector has nothing to find in them, and makes them last six times as long.
SEARCHES := ^Test(Orders|NoRequestEndsMoreMembershipsThanItCan|TakingsInAnyOrder|ProvisioningNeverStandsStill|EverySpellingIsTheSame.*|ADeepBacklogHidesNoOther|ABacklogDrainsWithinTheRateNewestFirst|ADeniedTypeRefusesItsOwnNumbersAlone|ClientsRepeatThemselvesBesidePeople|AClientsCyclesCostOneText|APasswordCostsAsMuchAsKratosOwn|The(Reader|Engine)AgreesWithAnother)$$
# The race detector watches our code and what we share memory with, but not SQLite: it is C
# that was translated, one goroutine for each connection, and would last ten times as long.
# Not its driver: the linker would take that one's copies of generic code, sync.Map's among
# it, for all, and see races where there are none.
# Nor does each program that ends sleep a second for races that others may still report.
RACE := -race -gcflags=modernc.org/...=-race=false
UNIT := ./e2e/with-databases.sh mariadb,postgres env GORACE=atexit_sleep_ms=0 HOLDLINE_REQUIRE_DATABASES=mariadb,postgres HOLDLINE_REQUIRE_KRATOS=1 KRATOS_BIN=$(KRATOS) $(GO) test -timeout 30m

unit: $(KRATOS) ## unit tests with the race detector, on a real MariaDB, PostgreSQL and Kratos
	@$(PHASE) "unit tests" $(UNIT) $(RACE) -skip '$(SEARCHES)' ./...
	@$(PHASE) "searches" $(UNIT) -run '$(SEARCHES)' ./internal/... ./wiring ./persistence ./smsgateway/delivery ./kratos

packaging: debian build $(KRATOS) ## the examples in deploy/, held against systemd, Kubernetes' types, compose and a real Kratos
	@cd deploy && $(PHASE) "packaging" env HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) $(GO) test -count=1 ./...

fuzz: ## ten seconds for each fuzz target
	@for target in $$(grep -rhoE 'func Fuzz[A-Za-z]+' --include='*_test.go' --exclude-dir=e2e . | cut -d' ' -f2); do \
		package=$$(dirname $$(grep -rlE "func $$target\(" --include='*_test.go' .)); \
		$(GO) test $$package -run '^$$' -fuzz "^$$target\$$" -fuzztime 10s || exit 1; done

e2e: debian build $(KRATOS) $(AXE) ## the built program with a real Kratos, MariaDB and browser
	@rm -rf $(CACHE)/reports
	@cd e2e && $(PHASE) "end-to-end tests" env HOLDLINE_REPORTS=$(CACHE)/reports HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) \
		$(GO) test -count=1 -timeout 30m ./...
	@echo "what they measured is in $(CACHE)/reports"

storm: debian build $(KRATOS) $(AXE) ## 3,000 changes while everything fails at random; some ten minutes
	@cd e2e && HOLDLINE_STORM_CHANGES=$${HOLDLINE_STORM_CHANGES:-3000} HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -timeout 40m -run InAStorm .
	@cat $(CACHE)/reports/storm-long.txt

soak: debian build $(KRATOS) $(AXE) ## ten minutes of the same; afterwards nothing may have piled up
	@cd e2e && HOLDLINE_SOAK=$${HOLDLINE_SOAK:-10m} HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -timeout 40m -run Soak .
	@cat $(CACHE)/reports/soak.txt

# The release before, which `make cluster` goes back to and `make bench` measures beside this
# one: any commit. A copy without history does without.
BEFORE ?= c255341
PROGRAM_BEFORE = $(CACHE)/holdline-$(shell git rev-parse --quiet --verify "$(BEFORE)^{commit}" 2>/dev/null)

before:
	@if git rev-parse --quiet --verify "$(BEFORE)^{commit}" >/dev/null 2>&1 && [ ! -x $(PROGRAM_BEFORE) ]; then \
		echo "building the release before, $(BEFORE)"; \
		rm -rf $(CACHE)/before && mkdir -p $(CACHE)/before && git archive "$(BEFORE)" | tar -x -C $(CACHE)/before && \
		(cd $(CACHE)/before && CGO_ENABLED=0 $(GO) build -trimpath -tags nomsgpack -ldflags "-X main.release=$(BEFORE)" -o $(PROGRAM_BEFORE) ./cmd/holdline) && \
		rm -rf $(CACHE)/before || exit 1; \
	fi

cluster: debian build before $(KRATOS) $(AXE) ## three Galera nodes and three replicas, killed, cut off, replaced by the release before (BEFORE=commit) and back; needs root; five to ten minutes
	@./e2e/debian.sh galera
	@old=$(PROGRAM_BEFORE); [ -x $$old ] || old=; \
	cd e2e && HOLDLINE_CLUSTER=1 HOLDLINE_OLD_BIN=$$old HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -timeout 20m -run Cluster .
	@cat $(CACHE)/reports/cluster.txt

failover: debian build $(KRATOS) $(AXE) ## a PostgreSQL with a synchronous standby and three replicas; the primary is killed, frozen, handed over; five minutes
	@cd e2e && HOLDLINE_CLUSTER=1 HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -timeout 20m -run Failover .
	@cat $(CACHE)/reports/failover.txt

databases: debian build $(KRATOS) $(AXE) ## the store's suite and changes end to end on SQLite, MariaDB, MySQL and PostgreSQL; needs root; some fifteen minutes
	@RACE="$(RACE)" HOLDLINE_REPORTS=$(CACHE)/reports HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) ./e2e/databases.sh

cycles: debian build $(KRATOS) $(AXE) ## 60 days of what Okta and Entra repeat, for 200 people, and 2,000 cycles at a real Kratos; some thirty minutes
	@HOLDLINE_CYCLES=$${HOLDLINE_CYCLES:-1440} HOLDLINE_CYCLE_PEOPLE=$${HOLDLINE_CYCLE_PEOPLE:-200} \
		$(GO) test -count=1 -timeout 60m -v -run NeverStandsStill ./wiring
	@cd e2e && HOLDLINE_CYCLES_AT_KRATOS=$${HOLDLINE_CYCLES_AT_KRATOS:-2000} HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) \
		$(GO) test -count=1 -timeout 60m -v -run NeverStandsStill .

oracle: ## ask other implementations of SCIM's PATCH and filters anew, by npm and node; writes testdata
	@./e2e/debian.sh npm
	@$(GO) test -count=1 ./internal/scim/patch ./internal/scim/filter -run Another -ask

scim-suites: debian build $(KRATOS) $(AXE) ## public SCIM suites against the program and a real Kratos; one of them needs npm
	@./e2e/debian.sh npm
	@mkdir -p $(CACHE)/scimmy && cp e2e/testdata/suites/scimmy/package*.json $(CACHE)/scimmy/ && \
		cd $(CACHE)/scimmy && npm ci --silent --ignore-scripts --no-audit --no-fund
	@cd e2e && HOLDLINE_SCIMMY=$(CACHE)/scimmy/node_modules HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -run PublicSCIMSuites .
	@cat $(CACHE)/reports/scim-suites.txt

# 0.0.16 is all that npm has of the Node reference UI; with what it depends on it is 450 MB.
ory-ui: debian build $(KRATOS) $(AXE) ## Ory's own user interfaces from npm, with a pending number, in a browser; 500 MB, some minutes
	@./e2e/debian.sh npm
	@for ui in node react; do \
		mkdir -p $(CACHE)/ory-ui/$$ui && cp deploy/ory-ui/$$ui/* $(CACHE)/ory-ui/$$ui/ && cd $(CACHE)/ory-ui/$$ui && \
		$(PHASE) "packages of Ory's interface in deploy/ory-ui/$$ui" npm ci --silent --ignore-scripts --no-audit --no-fund && cd $(CURDIR) || exit 1; \
	done
	@cd $(CACHE)/ory-ui/react && $(PHASE) "building the page on Ory Elements" npm run --silent build
	@cd e2e && HOLDLINE_ORY_UI=$(CACHE)/ory-ui HOLDLINE_REPORTS=$(CACHE)/reports \
		HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) $(GO) test -count=1 -v -run OryUI .

screenshots: debian build $(KRATOS) $(AXE) ## a picture of every page in every state; writes docs/screenshots
	@./e2e/debian.sh fonts
	@cd e2e && HOLDLINE_SCREENSHOTS=$(CURDIR)/docs/screenshots HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) \
		$(GO) test -count=1 -run 'Demo|Page|Console' .

# /var/tmp is on a disk, and PostgreSQL, which does not run as root, reaches it.
bench: debian build before $(KRATOS) $(AXE) ## what a change costs beside the release before (BEFORE=commit), on each server and with a real Kratos; under 15 minutes, QUICK=1 two; DOCS=1 writes docs/performance.md
	@before=$(PROGRAM_BEFORE); [ -x $$before ] || before=; set -o pipefail; \
	cd e2e && TMPDIR=/var/tmp HOLDLINE_BIN=$(HOLDLINE) KRATOS_BIN=$(KRATOS) AXE_JS=$(AXE) \
		$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 40m ./load -args -before "$$before" \
		$(if $(QUICK),-rounds 1 -measured 1s -earlier 20000) $(if $(ROUNDS),-rounds $(ROUNDS)) \
		$(if $(CASES),-cases $(CASES)) $(if $(SERVERS),-servers $(SERVERS)) | tee $(CACHE)/bench.txt
	@set -o pipefail; cd e2e && $(GO) run ./load -results $(CACHE)/bench.txt \
		$(if $(DOCS),-document ../docs/performance.md -pictures ../docs/performance,-pictures $(CACHE)/bench) | tee $(CACHE)/bench.md

scim-scale: ## SCIM's index with a thousand users and with a million, and groups of 10 and of 100,000; prints how long each question takes; some fifteen minutes
	@./e2e/with-mariadb.sh bash -c 'site=$${TEST_DSN%/*} && port=$${site##*:} && \
		mariadb --no-defaults --user=app --password=app --host=127.0.0.1 --port=$${port%)} \
			--execute="CREATE DATABASE few; CREATE DATABASE many; SET GLOBAL innodb_buffer_pool_size = 4294967296" && \
		HOLDLINE_SCIM_USERS="1000 $${HOLDLINE_PEOPLE:-1000000}" HOLDLINE_SCIM_DSNS="$$site/few $$site/many" \
		HOLDLINE_SCIM_GROUP_USERS=$${HOLDLINE_PEOPLE:-1000000} $(GO) test -count=1 -timeout 60m -v -run $(or $(RUN),AtScale) ./persistence/scimstore'

people: ## find one among 1,000,000 people with claims, and show the console's lists and charts of 1,000,000; prints how long it takes; some fifteen minutes
	@HOLDLINE_PEOPLE=$${HOLDLINE_PEOPLE:-1000000} HOLDLINE_CLAIMS="1000 $${HOLDLINE_PEOPLE:-1000000}" ./e2e/with-mariadb.sh \
		$(GO) test -count=1 -timeout 60m -v -run 'PeopleAtScale|ArchiveAtScale/mariadb' ./persistence

clean: ## forget what was built
	@rm -rf $(CACHE)
