/* SPDX-License-Identifier: GPL-2.0-only */
/* All groups of who sends a packet, for tables that ask: a process is in up to 65,536. */
#include "kernel_probe.h"

#define GROUPS_MAX     65536 /* NGROUPS_MAX */
#define GROUPS_OF_STEP 8     /* that are read at once */

struct group_scan {
	__u64 first; /* address of the first group's number */
	__u32 count;
	__u32 min;
	__u32 max;
	__u32 found;
};

static long group_step(__u64 index, struct group_scan *scan)
{
	__u32 done = (__u32)index * GROUPS_OF_STEP, left = scan->count - done;
	__u32 groups[GROUPS_OF_STEP] = {};

	if (left > GROUPS_OF_STEP)
		left = GROUPS_OF_STEP;
	if (bpf_probe_read_kernel(groups, left * sizeof(*groups),
				  (const void *)(scan->first + done * sizeof(*groups))))
		return 1;
	for (__u32 i = 0; i < GROUPS_OF_STEP; i++)
		scan->found |= i < left && groups[i] >= scan->min && groups[i] <= scan->max;
	return scan->found & 1; /* the verifier asks for 0 or 1 */
}

/* packet_groups() - is one of the groups of the socket's owner from @min to @max? */
int packet_groups(struct packet *packet, __u32 min, __u32 max)
{
	struct group_scan scan = { .min = min, .max = max };

	if (!packet || !packet->groups)
		return 0;
	scan.first = packet->groups + bpf_core_field_offset(((struct group_info *)0)->gid);
	scan.count = (__u32)KERNEL_FIELD(struct group_info, packet->groups, ngroups);
	if (scan.count > GROUPS_MAX)
		scan.count = GROUPS_MAX;
	bpf_loop((scan.count + GROUPS_OF_STEP - 1) / GROUPS_OF_STEP, group_step, &scan, 0);
	return (int)scan.found;
}
