# Every target below ends with "## help"; `make` alone lists them. Portable make and sh, no tool but Go (and a C compiler for -race).

BIN       := bin/holobench
VERSION    = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
TOOL      := go tool -modfile=tools/go.mod
FUZZTIME  ?= 60s
BENCH     ?= .
BENCHTIME ?= 1s
COUNT     ?= 6
PKG       ?= ./...

# What holds the designs to what they promise, under a load that -verify makes long.
DESIGN_TESTS := ^Test(OneOrder|ConcurrentDispatchDiverges|SerializedDispatchDoesNot|CutAndResume|ReplicasConverge|EphemeralStaysFresh|HologramWirePromise|ChannelsOneOrderOnASocket|LongPollIsOneFIFO)$$

.DEFAULT_GOAL := help
.PHONY: help demo build test check fmt fuzz bench benchstat bench-receive bench-fanout verify-15000 verify-designs verify-slow verify-delay verify-chaos verify-chaos-nodes verify-interrupt verify-noise verify-zero verify-divergence verify-nodes verify-capacity verify-rows soak verify-page verify-eventsource verify-readers verify-proxy verify-har bench-chaos test-servers verify-servers golden cover clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

# The report's path is the last line that the run prints, so nothing may be printed behind it.
demo: build ## build, then run scenarios/demo.yaml: 500 clients, 10 s; the last line is the path of the report
	@$(BIN) run scenarios/demo.yaml

# -buildvcs=false: the version comes from git describe, and a checkout without git, or owned by somebody else, must build too.
build: ## build bin/holobench
	@mkdir -p bin
	@go build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN) ./cmd/holobench

# The race detector needs cgo, and that needs a C compiler; go itself turns cgo off when it finds none.
test: ## run all tests, with -race when there is a C compiler
	@set -- $$(go env CC); \
	if [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$1" >/dev/null 2>&1; then race=-race; \
	else race=; echo 'make test: no C compiler found, so the tests run without -race (Debian: apt-get install gcc libc6-dev)' >&2; fi; \
	go test $$race -shuffle=on -timeout 8m $(PKG)

check: ## format, go.mod, vet for linux and darwin, lint: changes nothing
	@echo 'check: format'
	@$(TOOL) golangci-lint fmt --diff
	@echo 'check: go.mod is tidy'
	@go mod tidy -diff
	@cd tools && go mod tidy -diff
	@echo 'check: vet for linux'
	@GOOS=linux go vet ./...
	@echo 'check: vet for darwin'
	@GOOS=darwin CGO_ENABLED=0 go vet ./...
	@echo 'check: lint'
	@$(TOOL) golangci-lint run

fmt: ## write the format that check asks for
	@$(TOOL) golangci-lint fmt

# go test fuzzes one target at a time.
fuzz: ## run every fuzz target for FUZZTIME (60s) each
	@grep -rn --include='*_test.go' -E '^func Fuzz[A-Z0-9][A-Za-z0-9_]*\(' . \
	| sed -E 's|^(.*)/[^/]*_test\.go:[0-9]+:func (Fuzz[A-Za-z0-9_]+).*|\1 \2|' | sort -u \
	| while read -r dir name; do \
		echo "fuzz: $$dir $$name for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$dir" || exit 1; \
	done

bench: ## run the benchmarks COUNT (6) times; keep the output for make benchstat
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -count $(COUNT) $(PKG)

benchstat: ## compare two outputs of make bench: make benchstat OLD=old.txt NEW=new.txt
	@$(TOOL) benchstat $(OLD) $(NEW)

bench-receive: ## CPU of an event and memory of a stream: each engine, parsing alone, two bare loops and r3labs/sse, interleaved in one run (needs Linux)
	@go test -count=1 -run '^TestBenchReceive$$' -v -timeout 60m ./clients -verify

bench-fanout: ## what a delivery costs in each design beside a bare write loop over the same sockets and r3labs/sse: 1,000 and 5,000 subscribers
	@go test -count=1 -run '^TestBenchFanout$$' -v -timeout 30m ./target -verify

# One after the other: each keeps 2.5 million deliveries in memory until it has looked at all of them.
verify-designs: ## the promise of each design over the wire: 5,000 events by 4 publishers to 500 subscribers
	@go test -count=1 -run '$(DESIGN_TESTS)' -v -parallel 1 -timeout 40m ./target -verify

verify-slow: ## a subscriber that never reads beside 500 that do, on real sockets: the others' p99 with and without it
	@go test -count=1 -run '^TestVerifySlow$$' -v -timeout 30m ./target -verify

verify-delay: ## an injected delay of 50 ms on real sockets must be measured as 50 ms +- 1 ms
	@go test -count=1 -run '^TestVerifyDelay$$' -v ./run -verify

verify-chaos: ## four laws of delay on 1,000 streams of real sockets: the draws follow the law, the stamps the law in order, the timer is within 3 ms
	@go test -count=1 -run '^TestVerifyChaos$$' -v -timeout 10m ./chaos -verify

verify-chaos-nodes: ## three nodes over NATS and JetStream: a partition of 3 s, kill -9 and restart, SIGSTOP for 2 s: what is lost, in which order, how long the recovery takes
	@go test -count=1 -run '^TestVerifyChaosNodes$$' -v -timeout 10m ./cmd/holobench -verify

verify-interrupt: ## 2,000 processes that are interrupted once, near the start of their first child: none may hear it twice
	@go test -count=1 -run '^TestVerifyInterrupt$$' -v ./cmd/holobench -verify

verify-noise: ## pairs of messages that left in a known order: 0 may be reported in the wrong one, none is left out
	@go test -count=1 -run '^TestVerifyNoise' -v -timeout 30m ./run -verify

verify-15000: ## 15,000 held streams from one process, 1 event/s each for a minute: subscribed in 10 s, at most 4 KiB RSS a stream, reach 1 (needs Linux)
	@go test -count=1 -run '^TestVerify15000$$' -v -timeout 10m ./cmd/holobench -verify

verify-zero: ## five runs each of the default load in the design single-channel, kernel and user stamps: no divergent pair, no tie
	@go test -count=1 -run '^TestVerifyZero$$' -v -timeout 30m ./cmd/holobench -verify

verify-divergence: ## three runs of the default scenario: the reply overtakes the stream, and a witness proves it
	@go test -count=1 -run '^TestVerifyDivergence$$' -v -timeout 30m ./cmd/holobench -verify

verify-nodes: ## three nodes over NATS and JetStream, 5 ms apart: who disagrees, what a kill -9 loses, which echoes go astray
	@go test -count=1 -run '^TestVerifyNodes$$' -v -timeout 30m ./cmd/holobench -verify

verify-capacity: ## a server that does 200 commands a second, on real sockets: the search must find that within 10 %, three times
	@go test -count=1 -run '^TestVerifyCapacity$$' -v -timeout 30m ./cmd/holobench -verify

# DuckDB comes from npm and is kept in bin/; nothing of holobench reads what it says.
verify-rows: build ## run scenarios.yaml and count its rows with DuckDB, an independent reader (needs node and npm)
	@mkdir -p bin/duckdb && cp tools/duckdb/rows.mjs bin/duckdb/
	@test -d bin/duckdb/node_modules/@duckdb || npm install --silent --no-fund --no-audit --prefix bin/duckdb @duckdb/node-api@1.5.6-r.1
	@$(BIN) run scenarios.yaml
	@node bin/duckdb/rows.mjs holobench-runs/latest

soak: ## 5,000 streams under as much as the machine can do for five minutes: the memory of generator and target is flat behind the first
	@go test -count=1 -run '^TestVerifySoak$$' -v -timeout 30m ./cmd/holobench -verify

verify-page: ## the target's page in headless Chromium: two tabs, 100 events and a restart a design; screenshots in bin/page
	@go test -count=1 -run '^TestVerifyPage' -v ./cmd/holobench -verify -shots $(CURDIR)/bin/page

verify-eventsource: ## our parser of event streams and Chromium's EventSource on more than 60 streams on which readers are known to differ
	@go test -count=1 -run '^TestVerify(EventSource|Reconnect)$$' -v ./cmd/holobench -verify

# The libraries come from npm and are kept in bin/.
verify-readers: ## the target's streams as Chromium and three npm libraries read them, over a cut (needs node, npm and chromium)
	@mkdir -p bin/readers && cp tools/readers/readers.mjs bin/readers/
	@test -d bin/readers/node_modules/eventsource || npm install --silent --no-fund --no-audit --prefix bin/readers eventsource@4 undici@7 eventsource-parser@3
	@go test -count=1 -run '^TestVerifyReaders$$' -v ./cmd/holobench -verify

verify-proxy: ## Chromium's EventSource behind holobench proxy, whose faults Toxiproxy's own client sets and clears
	@go test -count=1 -run '^TestVerifyProxy$$' -v ./cmd/holobench -verify

verify-har: ## one tab of Chromium at each design and at PocketBase, recorded: holobench new --from makes files of that, which run; recordings in bin/har
	@tools/servers/fetch.sh bin/servers
	@mkdir -p bin/har
	@go test -count=1 -run '^TestVerifyHAR' -v ./cmd/holobench -verify -servers $(CURDIR)/bin/servers -recordings $(CURDIR)/bin/har

# Toxiproxy has a module of its own: its server is wanted here only, in a process beside ours.
bench-chaos: ## a wrapper and the proxy beside a direct connection and Toxiproxy 2.12, at 2,000 streams: CPU, memory, added delay
	@mkdir -p bin && go build -modfile=tools/toxiproxy/go.mod -o bin/toxiproxy-server github.com/Shopify/toxiproxy/v2/cmd/server
	@go test -count=1 -run '^TestBenchChaos$$' -v -timeout 30m ./cmd/holobench -toxiproxy $(CURDIR)/bin/toxiproxy-server

# The servers are fetched once, and kept in bin/.
test-servers: ## servers that are not ours, by protocol files alone: Nchan keeps one order, PocketBase does not, graphql-sse streams by POST (needs apt-get, node, npm)
	@tools/servers/fetch.sh bin/servers
	@go test -count=1 -run '^TestServers' -v ./cmd/holobench -servers $(CURDIR)/bin/servers

verify-servers: ## more of them: Nchan by long polling, Mercure with three kinds of tokens, Pushpin, MCP by both transports (needs what test-servers needs)
	@tools/servers/fetch.sh bin/servers
	@tools/servers/fetch-more.sh bin/servers
	@go test -count=1 -run '^TestMoreServers' -v ./cmd/holobench -servers $(CURDIR)/bin/servers

golden: ## rewrite the golden files of the tests that have some, then look at the diff
	@grep -rl --include='*_test.go' -E 'flag\.Bool\("update"' . | sed 's|/[^/]*$$||' | sort -u \
	| while read -r dir; do go test -count=1 "$$dir" -update || exit 1; done

cover: ## coverage of every package by all tests: cover.out, and the sum
	@go test -coverpkg=./... -coverprofile=cover.out $(PKG)
	@go tool cover -func=cover.out | tail -n 1

clean: ## remove what make built; runs in holobench-runs/ stay
	@rm -rf bin cover.out
