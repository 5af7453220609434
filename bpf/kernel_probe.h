/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's memory by a helper that every kernel has: as kernel_cast.h, for XDP and TC. */
#ifndef UBPFILTER_KERNEL_PROBE_H
#define UBPFILTER_KERNEL_PROBE_H

#include "kernel.h"

/* KERNEL_FIELD() - the value of a member of the structure of that type at an address. */
#define KERNEL_FIELD(type, address, member)                                                   \
	({                                                                                    \
		typeof(((type *)0)->member) value_ = 0;                                       \
		const void *at_ =                                                             \
			(const char *)(address) + bpf_core_field_offset(((type *)0)->member); \
                                                                                              \
		bpf_probe_read_kernel(&value_, sizeof(value_), at_);                          \
		value_;                                                                       \
	})

/* kernel_words() - copy numbers of 32 bits. */
static __always_inline void kernel_words(__u32 *to, __u64 address, int count)
{
	bpf_probe_read_kernel(to, count * sizeof(*to), (const void *)address);
}

#endif
