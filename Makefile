# carve. Two commands do everything on a fresh Debian or Ubuntu:
#
#   make demo   set up, build, segment the built-in clip with the built-in model
#   make test   set up, build, run every test that needs no special machine
#
# Both install what is missing into carve's own cache (see scripts/setup.sh) and take
# seconds when nothing is missing.

.PHONY: all setup build install uninstall demo test lint bench soak attack clean

env     := scripts/env.sh
version := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ldflags  = -X main.version=$(version) -X github.com/carve-video/carve/internal/ort.BuildLibrary=$$CARVE_BUILD_ONNXRUNTIME \
	-extldflags \"$$CARVE_BUILD_LDFLAGS\"
go      := $(env) go

all: build

setup:
	@scripts/setup.sh

build: setup
	@mkdir -p bin
	@[ -e bin/carve ] || echo 'building bin/carve (the first time this takes a minute or two)'
	@$(env) sh -c 'go build -ldflags "$(ldflags)" -o bin/carve ./cmd/carve && \
		printf "%s\n" "$$CARVE_BUILD_FFMPEG" "$$CARVE_BUILD_ONNXRUNTIME" >bin/libraries'

# Copies bin/carve and the libraries in the user's cache. It does not depend on setup, so
# that "sudo make install" sets up nothing for root.
PREFIX  := /usr/local
DESTDIR :=
install:
	@scripts/install.sh '$(DESTDIR)$(PREFIX)'

uninstall:
	rm -rf '$(DESTDIR)$(PREFIX)/bin/carve' '$(DESTDIR)$(PREFIX)/lib/carve' '$(DESTDIR)$(PREFIX)/share/doc/carve'

demo: build
	@bin/carve demo -y -o demo-out

# The packages that are pure Go are tested without C; two tests of car need models, and so
# C. The packages with goroutines are tested again under the race detector. Skipped tests
# are counted.
tests  := bin/tests.jsonl
gotest := bin/testreport -record $(tests) --
test: build
	@$(go) build -o bin/testreport ./internal/testreport && rm -f $(tests)
	CGO_ENABLED=0 $(env) $(gotest) ./car/... ./tracking/...
	$(env) $(gotest) -timeout 40m -run '^(Example|TestSavings)$$' ./car
	$(env) sh -c '$(gotest) -timeout 40m $$(go list ./... | grep -vE "/carve/(car|tracking)(/|$$)")'
	$(env) $(gotest) -timeout 40m -race -short -skip '^Example' $(race)
	@bin/testreport -summary $(tests)

race := . ./cmd/... ./video ./tracking ./models ./internal/ort ./internal/atomicfile ./internal/cstderr ./internal/annotation ./internal/score

lint: setup
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'gofmt would change:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(go) vet ./...
	$(go) tool staticcheck ./...

bench: setup
	$(go) test -run '^$$' -bench . -benchmem ./...

# Checks memory over thousands of frames. It takes minutes, so it is not part of test.
soak: setup
	CARVE_SOAK=1 $(go) test -count=1 -timeout 60m -run Soak -v ./...

# Runs the built program on damaged media, hostile models and texts, dangerous outputs and
# signals. It takes half an hour on 2 cores, so it is not part of test. A tenth of it:
# make attack ATTACK='-n 0.1'. All flags: go run ./internal/attack -help.
ATTACK :=
attack: build
	$(go) run ./internal/attack -binary bin/carve -keep attack-findings $(ATTACK)

clean:
	rm -rf bin demo-out attack-findings
