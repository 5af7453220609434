# SPDX-License-Identifier: GPL-2.0-only
# The main job, devices, and a little of the differential test, on Debian 12's stock one (6.1).

VM_TESTS := demo devices vlan vrf conntrack_awake states

.PHONY: check-vm
check-vm: all $(E2E_TOOLS) $(BUILD)/tests/differential/differential
	@tests/vm/run tests/vm/check $(VM_TESTS)

CHECK_ALONGSIDE += check-vm
