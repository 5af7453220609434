# SPDX-License-Identifier: GPL-2.0-only
# Tests that hold iptables-compat/ against the running kernel.

KERNEL_SUPPORT := $(BUILD)/tests/support/kernel.o

$(BUILD)/tests/unit/compat/%: TEST_SUPPORT = $(KERNEL_SUPPORT)
$(filter $(BUILD)/tests/unit/compat/%,$(UNIT_TESTS)): $(KERNEL_SUPPORT)
