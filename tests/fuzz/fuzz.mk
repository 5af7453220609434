# SPDX-License-Identifier: GPL-2.0-only
# Tests that hold iptables-compat/ against the running kernel.

KERNEL_SUPPORT := $(BUILD)/tests/support/kernel.o

COMPAT_SUPPORT := $(KERNEL_SUPPORT) $(BUILD)/tests/fuzz/memory_home.o

$(BUILD)/tests/unit/compat/%: TEST_SUPPORT = $(COMPAT_SUPPORT)
$(filter $(BUILD)/tests/unit/compat/%,$(UNIT_TESTS)): $(COMPAT_SUPPORT)

# docs/extensions.md, from the code.
.PHONY: extensions-document
extensions-document: $(BUILD)/tests/unit/compat/test_extensions
	@UBPFILTER_WRITE_DOCUMENT=yes $<

# Calls with bad descriptors, addresses and lengths, for tests/e2e/test_abi.sh.
E2E_TOOLS += $(BUILD)/tests/e2e/calls
$(BUILD)/tests/e2e/calls: $(BUILD)/tests/e2e/calls.o $(KERNEL_SUPPORT) $(BUILD)/libcommon.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

FUZZ_MAKE    := $(patsubst %,$(BUILD)/tests/fuzz/%.o,generate mutate)
FUZZ_OBJECTS := $(FUZZ_MAKE) $(patsubst %,$(BUILD)/tests/fuzz/%.o,differential memory_home pair shrink steps)

$(BUILD)/tests/fuzz/differential: $(FUZZ_OBJECTS) $(KERNEL_SUPPORT) $(call uses,iptables-compat translator common)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(BUILD)/tests/fuzz/corpus: $(BUILD)/tests/fuzz/corpus.o $(FUZZ_MAKE) $(call uses,common)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# The libFuzzer target: everything that it calls is built with clang's instrumentation.
FUZZER_SOURCES := $(wildcard iptables-compat/*.c iptables-compat/extensions/*.c common/*.c) translator/ir.c \
		  $(patsubst %,tests/fuzz/%.c,decode_fuzzer generate mutate memory_home)
FUZZER_FLAGS   := -std=gnu17 -D_GNU_SOURCE -O1 -g -fno-strict-aliasing \
		  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

$(BUILD)/tests/fuzz/decode_fuzzer: $(FUZZER_SOURCES) $(wildcard iptables-compat/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZER_FLAGS) -o $@ $(FUZZER_SOURCES)

$(BUILD)/tests/fuzz/seeds: $(BUILD)/tests/fuzz/corpus
	@mkdir -p $@
	$< $@

FUZZ_SECONDS ?= 600
FUZZ_CORPUS  ?= $(BUILD)/tests/fuzz/found
FUZZ_SEED    ?= $(UBPFILTER_SEED)

CHECK_ALONGSIDE += check-fuzz
CHECK_PROGRAMS  += $(BUILD)/tests/fuzz/differential $(BUILD)/tests/fuzz/decode_fuzzer $(BUILD)/tests/fuzz/seeds
.PHONY: check-fuzz fuzz fuzz-decode
# Part of `make check`: socket options against the kernel's, and the decoder on its own.
check-fuzz: $(BUILD)/tests/fuzz/differential $(BUILD)/tests/fuzz/decode_fuzzer $(BUILD)/tests/fuzz/seeds
	@$(BUILD)/tests/fuzz/differential --pairs 60000 --seconds 120 $(FUZZ_SEED:%=--seed %)
	@mkdir -p $(FUZZ_CORPUS)
	@$(BUILD)/tests/fuzz/decode_fuzzer -max_total_time=20 $(FUZZ_SEED:%=-seed=%) -max_len=65536 -artifact_prefix=$(BUILD)/tests/fuzz/ -verbosity=0 $(FUZZ_CORPUS) $(BUILD)/tests/fuzz/seeds

fuzz: $(BUILD)/tests/fuzz/differential
	$< --seconds $(FUZZ_SECONDS)

fuzz-decode: $(BUILD)/tests/fuzz/decode_fuzzer $(BUILD)/tests/fuzz/seeds
	@mkdir -p $(FUZZ_CORPUS)
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -artifact_prefix=$(BUILD)/tests/fuzz/ -print_final_stats=1 $(FUZZ_CORPUS) $(BUILD)/tests/fuzz/seeds
