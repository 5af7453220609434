# SPDX-License-Identifier: GPL-2.0-only
# Tests that hold iptables-compat/ against the running kernel.

KERNEL_SUPPORT := $(BUILD)/tests/support/kernel.o

$(BUILD)/tests/unit/compat/%: TEST_SUPPORT = $(KERNEL_SUPPORT)
$(filter $(BUILD)/tests/unit/compat/%,$(UNIT_TESTS)): $(KERNEL_SUPPORT)

FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %_fuzzer.c,$(wildcard tests/fuzz/*.c)))

$(BUILD)/tests/fuzz/differential: $(FUZZ_OBJECTS) $(KERNEL_SUPPORT) $(call uses,iptables-compat translator common)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

# Socket options against the kernel's: two minutes, or as long as FUZZ_SECONDS says.
FUZZ_SECONDS ?= 600
.PHONY: check-fuzz fuzz
check-fuzz: $(BUILD)/tests/fuzz/differential
	$< --seconds 120

fuzz: $(BUILD)/tests/fuzz/differential
	$< --seconds $(FUZZ_SECONDS)
