/* SPDX-License-Identifier: GPL-2.0-only */
#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/cleanup.h"

static const unsigned char kept[] = {
	CAP_BPF,	   /* load programs, make maps */
	CAP_PERFMON,	   /* what the verifier only allows programs of the trusted */
	CAP_NET_ADMIN,	   /* attach to devices */
	CAP_NET_BROADCAST, /* hear of devices in all namespaces (NETLINK_LISTEN_ALL_NSID) */
	CAP_SYS_ADMIN,	   /* setns() into a network namespace, mount the bpffs */
	CAP_SYS_PTRACE,	   /* /proc/PID/fd of the supervisor and /proc/PID/ns/net of the others, who
			      have capabilities that the driver has not */
};

static uint64_t kept_bits(void)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		bits |= UINT64_C(1) << kept[i];
	return bits;
}

static int get_permitted(uint64_t *permitted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_capabilities(uint64_t bits)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)bits, .permitted = (uint32_t)bits },
		{ .effective = (uint32_t)(bits >> 32), .permitted = (uint32_t)(bits >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int confine(void)
{
	const uint64_t wanted = kept_bits();
	uint64_t permitted = 0;
	int error = get_permitted(&permitted);

	if (error)
		return error;
	/* What exec() gives to root is the bounding set. */
	for (int capability = 0; capability < 64; capability++) {
		if (wanted & (UINT64_C(1) << capability))
			continue;
		if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EINVAL)
			return -errno;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return set_capabilities(permitted & wanted);
}
