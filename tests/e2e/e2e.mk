# SPDX-License-Identifier: GPL-2.0-only
# Tools of the end-to-end tests and the demo.

E2E_TOOLS := $(BUILD)/tests/e2e/traffic

$(BUILD)/tests/e2e/traffic: tests/e2e/traffic.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<
