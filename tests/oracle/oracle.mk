# SPDX-License-Identifier: GPL-2.0-only
# The evaluator beside the kernel's ip_tables: tests/oracle/oracle.h says how.

ORACLE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/oracle/*.c)) \
		  $(patsubst %,$(BUILD)/tests/generated/%.o,random values packets) \
		  $(patsubst %,$(BUILD)/tests/support/%.o,kernel headers)
ORACLE_USES    := $(patsubst %,$(BUILD)/lib%.a,translator iptables-compat common)

$(BUILD)/tests/oracle/oracle: $(ORACLE_OBJECTS) $(ORACLE_USES)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(ORACLE_OBJECTS) -Wl,--start-group $(ORACLE_USES) -Wl,--end-group $(LIBS)

CHECK_ALONGSIDE += oracle
CHECK_PROGRAMS  += $(BUILD)/tests/oracle/oracle

# 40,000 packets; UBPFILTER_SEED and UBPFILTER_COMPARISONS change them.
.PHONY: oracle
oracle: $(BUILD)/tests/oracle/oracle
	$<
