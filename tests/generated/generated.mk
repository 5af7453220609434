# SPDX-License-Identifier: GPL-2.0-only
# Generated programs beside the evaluator: tests/generated/generated.h says how.

GENERATED_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.bpf.c,$(wildcard tests/generated/*.c))) \
		     $(BUILD)/tests/generated/direct_object.o $(BUILD)/tests/support/kernel.o
GENERATED_USES    := $(patsubst %,$(BUILD)/lib%.a,loader translator iptables-compat common)

$(BUILD)/tests/generated/direct.bpf.o: tests/generated/direct.bpf.c bpf/types.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/tests/generated/direct_object.o: $(BUILD)/tests/generated/direct.bpf.o

$(BUILD)/tests/generated/generated: $(GENERATED_OBJECTS) $(GENERATED_USES)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(GENERATED_OBJECTS) -Wl,--start-group $(GENERATED_USES) -Wl,--end-group $(LIBS)

CHECK_ALONGSIDE += generated
CHECK_PROGRAMS  += $(BUILD)/tests/generated/generated

# 100,000 comparisons; UBPFILTER_SEED and UBPFILTER_COMPARISONS change them.
.PHONY: generated
generated: $(BUILD)/tests/generated/generated
	$<
