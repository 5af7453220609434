# SPDX-License-Identifier: GPL-2.0-only
# What a packet costs, beside iptables and an empty program: tests/bench/main.c says how.

BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/netfilter_cost.c %/exact.c,$(wildcard tests/bench/*.c)))
BENCH_USES    := $(patsubst %,$(BUILD)/lib%.a,loader translator iptables-compat common)

$(BUILD)/tests/bench/bench: $(BENCH_OBJECTS) $(BENCH_USES)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(BENCH_OBJECTS) -Wl,--start-group $(BENCH_USES) -Wl,--end-group $(LIBS) -lm

$(BUILD)/tests/bench/netfilter_cost: tests/bench/netfilter_cost.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIBS)

# BENCH_RULES: the most rules that are measured.
BENCH_RULES ?= 100000
.PHONY: bench
bench: $(BUILD)/tests/bench/bench bench-netfilter
	@mkdir -p $(BUILD)/bench
	$< $(BUILD)/bench $(BENCH_RULES)

# The netfilter stage by live packets: BPF_PROG_TEST_RUN is not for it.
.PHONY: bench-netfilter
bench-netfilter: all $(BUILD)/tests/bench/netfilter_cost
	@BUILD=$(abspath $(BUILD)) tests/bench/netfilter

# Whole commands beside the same on the kernel's own table; RULES: the most rules, ROUNDS: of each.
.PHONY: bench-commands
bench-commands: all
	@BUILD=$(abspath $(BUILD)) tests/bench/commands

# What is measured is right: a million comparisons a shape; UBPFILTER_SEED and UBPFILTER_COMPARISONS
# change them, EXACT_RULES the size.
EXACT_OBJECTS := $(patsubst %,$(BUILD)/tests/bench/%.o,exact shape ours) \
		 $(patsubst %,$(BUILD)/tests/generated/%.o,programs ground random values packets direct_object) \
		 $(BUILD)/tests/support/kernel.o
EXACT_RULES   ?= 1000

$(BUILD)/tests/bench/exact: $(EXACT_OBJECTS) $(BENCH_USES)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(EXACT_OBJECTS) -Wl,--start-group $(BENCH_USES) -Wl,--end-group $(LIBS)

.PHONY: exact
exact: $(BUILD)/tests/bench/exact
	@$< $(EXACT_RULES)

# A part of them in `make check`.
.PHONY: check-exact
check-exact: $(BUILD)/tests/bench/exact
	@UBPFILTER_COMPARISONS=200000 $< 1000

CHECK_ALONGSIDE += check-exact
CHECK_PROGRAMS  += $(BUILD)/tests/bench/exact
