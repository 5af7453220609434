# SPDX-License-Identifier: GPL-2.0-only
# The main job and what else depends on the kernel, on Debian 12's stock one (6.1).

VM_TESTS := demo devices vlan conntrack_awake states

.PHONY: check-vm
check-vm: all $(E2E_TOOLS)
	@tests/vm/run tests/e2e/run $(VM_TESTS)

CHECK_SUITES += check-vm
