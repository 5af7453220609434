# SPDX-License-Identifier: GPL-2.0-only
# Tools of the end-to-end tests and the demo.

E2E_TOOLS := $(BUILD)/tests/e2e/traffic

$(BUILD)/tests/e2e/traffic: tests/e2e/traffic.c | tools
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $<

# The supervision of the driver, case by case (tests/e2e/driver/).
.PHONY: e2e-driver
e2e-driver: all
	@BUILD=$(BUILD) tests/e2e/driver/run

CHECK_SUITES += e2e-driver
