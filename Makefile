# The front door. CMake does the work (CMakePresets.json); this file sets up what is missing and names the jobs.
#
#   make demo    set up, build, and classify 10,000 real pictures
#   make test    set up, build, and run every test (those of Python, overlays and ARM skip without their tools;
#                `scripts/setup python docs overlay cross` installs them)
#   make fuzz    each parser under libFuzzer for FUZZ_SECONDS (60)
#   make asan / make valgrind    the tests under sanitizers, or under valgrind
#   make install PREFIX=/usr/local

PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 60
BUILD         = build/release
JOBS         ?= $(shell nproc)
FASHION       = /usr/share/datasets/fashion-mnist
ifneq ($(BNN_DATA),)
  export BNN_DATA := $(abspath $(BNN_DATA))
endif

.PHONY: build demo test asan fuzz valgrind install clean

build:
	@scripts/setup build
	@cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset release -j $(JOBS) --target bnn bnn_static bnn_command

demo: build
	@scripts/setup demo
	@echo
	$(BUILD)/tools/bnn eval -n lfcW1A1-fashion-mnist $(FASHION)/t10k-images-idx3-ubyte.gz

test:
	@scripts/setup build demo test
	@$(MAKE) --no-print-directory build
	@cmake --build --preset release -j $(JOBS)
	@scripts/run-tests release

asan:
	@scripts/setup build demo test
	cmake --preset asan && cmake --build --preset asan -j $(JOBS)
	@scripts/run-tests asan

fuzz:
	@scripts/setup build fuzz
	cmake --preset fuzz && cmake --build --preset fuzz -j $(JOBS)
	@scripts/fuzz build/fuzz $(FUZZ_SECONDS)

valgrind:
	@scripts/setup build demo test valgrind
	cmake --preset debug && cmake --build --preset debug -j $(JOBS)
	@scripts/valgrind build/debug

install: build
	cmake --install $(BUILD)

clean:
	rm -rf build
