# SPDX-License-Identifier: GPL-2.0-only
# Tools of the end-to-end tests and the demo.

E2E_TOOLS := $(BUILD)/tests/e2e/traffic $(BUILD)/tests/e2e/frame

$(E2E_TOOLS): $(BUILD)/tests/e2e/%: tests/e2e/%.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

# The driver's life: its acceptance cases, by number.
CHECK_SUITES += driver

.PHONY: driver
driver: all
	@BUILD=$(abspath $(BUILD)) tests/e2e/driver/run
