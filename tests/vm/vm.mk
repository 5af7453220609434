# SPDX-License-Identifier: GPL-2.0-only
# The main job and tests of what depends on the kernel, on Debian 12's stock one (6.1).

VM_TESTS := namespaces refusal devices stop

.PHONY: check-vm
check-vm: all $(E2E_TOOLS)
	@mkdir -p $(BUILD)/check
	@tests/vm/run tests/e2e/demo >$(BUILD)/check/demo-in-vm.log 2>&1 && echo "pass the main job" || \
		{ cat $(BUILD)/check/demo-in-vm.log; exit 1; }
	@tests/vm/run tests/e2e/run $(VM_TESTS)

CHECK_SUITES += check-vm
