# carve. Two commands do everything on a fresh Debian 12 or 13:
#
#   make demo   set up, build, segment the built-in clip with the built-in model
#   make test   set up, build, run every test that needs no special machine
#
# Both install what they need into a cache of their own (scripts/setup.sh says
# where) and take seconds when nothing is left to install.

.PHONY: all setup build demo test test-race lint bench soak attack clean

env     := scripts/env.sh
version := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ldflags  = -X main.version=$(version) -X github.com/carve-video/carve/internal/ort.BuildLibrary=$$CARVE_BUILD_ONNXRUNTIME
# Another FFmpeg generation is another module file beside go.mod:
# make build MODFILE=-modfile=go.ffmpeg8.mod
MODFILE :=
go      := $(env) go

all: build

setup:
	@scripts/setup.sh

build: setup
	@mkdir -p bin
	@$(env) sh -c 'go build $(MODFILE) -ldflags "$(ldflags)" -o bin/carve ./cmd/carve'

demo: build
	@bin/carve demo -y -o demo-out

# The packages that promise to be pure Go are tested as such; the ones with
# goroutines once more under the race detector.
test: build
	CGO_ENABLED=0 $(go) test ./car/... ./tracking/...
	$(go) test $(MODFILE) -timeout 20m ./...
	$(go) test $(MODFILE) -timeout 40m -race -short $(race)

race := ./cmd/... ./video ./tracking ./models ./internal/ort ./internal/atomicfile ./internal/cstderr ./internal/annotation ./internal/score

lint: setup
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'gofmt would change:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(go) vet ./...
	$(go) tool staticcheck ./...

bench: setup
	$(go) test -run '^$$' -bench . -benchmem ./...

# Memory over thousands of frames; minutes, so it is not part of test.
soak: setup
	CARVE_SOAK=1 $(go) test -count=1 -timeout 60m -run Soak -v ./...

# Damaged media, hostile models and texts, traps and signals, against the built
# program: half an hour on 2 cores, so it is not part of test. A tenth of
# it: make attack ATTACK='-n 0.1'; go run ./internal/attack -help says more.
ATTACK :=
attack: build
	$(go) run ./internal/attack -binary bin/carve -keep attack-findings $(ATTACK)

clean:
	rm -rf bin demo-out attack-findings
