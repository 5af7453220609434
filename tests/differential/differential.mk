# SPDX-License-Identifier: GPL-2.0-only
# The kernel's iptables beside ours: tests/differential/bench.h says how.

DIFFERENTIAL_SOURCES := $(wildcard tests/differential/*.c) tests/support/headers.c
DIFFERENTIAL_SECONDS ?= 600
DIFFERENTIAL_HOOKS   ?= auto netfilter tc xdp

$(BUILD)/tests/differential/differential: $(DIFFERENTIAL_SOURCES) $(wildcard tests/differential/*.h) tests/support/headers.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(DIFFERENTIAL_SOURCES) -pthread

# As long as wanted, in seconds for each hook; DIFFERENTIAL_ARGS as the program's usage says.
.PHONY: differential
differential: all $(BUILD)/tests/differential/differential
	@for hook in $(DIFFERENTIAL_HOOKS); do \
		tests/differential/run --hook $$hook -- --seconds $(DIFFERENTIAL_SECONDS) \
			--rulesets 1000000 $(DIFFERENTIAL_ARGS) || exit 1; \
	done

# Bounded, for `make check`: a summary line for each hook, and their sum.
.PHONY: check-differential
check-differential: all $(BUILD)/tests/differential/differential
	@BUILD=$(abspath $(BUILD)) tests/differential/check $(DIFFERENTIAL_HOOKS)

CHECK_SUITES   += check-differential
CHECK_PROGRAMS += $(BUILD)/tests/differential/differential
