/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet's bytes by direct packet access, for XDP and TC. PROGRAM_CONTEXT is the context's type.
 */
#ifndef UBPFILTER_BYTES_PACKET_H
#define UBPFILTER_BYTES_PACKET_H

#include <linux/bpf.h>

/* Where a transport header can be in a frame that is followed. */
#define FRAME_MASK 0x7fff

struct bytes {
	PROGRAM_CONTEXT *context;
	__u32 base; /* offset of the IP header in the frame */
};

/* bytes_at() - @size bytes at @offset from the IP header on, NULL when they cannot be read here. */
static __always_inline const void *bytes_at(const struct bytes *bytes, __u32 offset, __u32 size)
{
	const unsigned char *from = (void *)(long)bytes->context->data;
	const unsigned char *end = (void *)(long)bytes->context->data_end;
	__u64 at = bytes->base + offset;

	/* a mask that says nothing new to the compiler must stay: it does to the verifier */
	__asm__ volatile("" : "+r"(at));
	from += at & FRAME_MASK;
	return from + size > end ? 0 : from;
}

#endif
