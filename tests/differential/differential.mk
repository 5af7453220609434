# SPDX-License-Identifier: GPL-2.0-only
# The kernel's iptables beside ours: tests/differential/run.h says how.

DIFFERENTIAL_SOURCES := $(wildcard tests/differential/*.c)
DIFFERENTIAL_SECONDS ?= 600
DIFFERENTIAL_HOOKS   ?= tc xdp

$(BUILD)/tests/differential/differential: $(DIFFERENTIAL_SOURCES) tests/differential/run.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $(DIFFERENTIAL_SOURCES)

.PHONY: differential
differential: all $(BUILD)/tests/differential/differential
	@for hook in $(DIFFERENTIAL_HOOKS); do \
		echo "hook $$hook"; \
		tests/differential/run --hook $$hook -- --seconds $(DIFFERENTIAL_SECONDS) \
			--rulesets 1000000 $(DIFFERENTIAL_ARGS) || exit 1; \
	done

# Bounded, for `make check`: a summary line for each hook, and their sum.
.PHONY: check-differential
check-differential: all $(BUILD)/tests/differential/differential
	@BUILD=$(abspath $(BUILD)) tests/differential/check $(DIFFERENTIAL_HOOKS)

CHECK_SUITES += check-differential
