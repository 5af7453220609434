# SPDX-License-Identifier: GPL-2.0-only
# What a packet costs, beside iptables and an empty program: tests/bench/main.c says how.

BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/netfilter_cost.c,$(wildcard tests/bench/*.c)))
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
