/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's memory by plain loads whose faults are handled: 2 ns for a whole IP header, where
 * bpf_probe_read_kernel() takes 27. bpf_rdonly_cast() came with 6.2.
 */
#ifndef UBPFILTER_KERNEL_CAST_H
#define UBPFILTER_KERNEL_CAST_H

#include "kernel.h"

/* 25 numbers of 64 bits and nothing else: a window on memory that any aligned load fits. */
struct rtnl_link_stats64;

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;

/* kernel_at() - memory at an address, up to 200 bytes, to be read with aligned loads. */
static __always_inline const void *kernel_at(__u64 address)
{
	return bpf_rdonly_cast((const void *)address,
			       bpf_core_type_id_kernel(struct rtnl_link_stats64));
}

/* KERNEL_FIELD() - the value of a member of the structure of that type at an address. */
#define KERNEL_FIELD(type, address, member)               \
	(*(const typeof(((type *)0)->member) *)kernel_at( \
		(address) + bpf_core_field_offset(((type *)0)->member)))

/* kernel_words() - copy numbers of 32 bits. */
static __always_inline void kernel_words(__u32 *to, __u64 address, int count)
{
	const __u32 *from = kernel_at(address);

	for (int i = 0; i < count; i++)
		to[i] = from[i];
}

/* KERNEL_BITFIELD() - the value of a member that is a bit field of an unsigned int. */
#define KERNEL_BITFIELD(type, address, member)                                                  \
	({                                                                                      \
		const type *_object = 0;                                                        \
		__u64 _word = *(const __u32 *)kernel_at(                                        \
			(address) +                                                             \
			__builtin_preserve_field_info(_object->member, BPF_FIELD_BYTE_OFFSET)); \
                                                                                                \
		_word <<= __builtin_preserve_field_info(_object->member, BPF_FIELD_LSHIFT_U64); \
		_word >> __builtin_preserve_field_info(_object->member, BPF_FIELD_RSHIFT_U64);  \
	})

#endif
