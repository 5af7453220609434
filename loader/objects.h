/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs of bpf/, compiled and carried inside this program (objects.S). */
#ifndef UBPFILTER_OBJECTS_H
#define UBPFILTER_OBJECTS_H

extern const unsigned char object_dispatch_begin[], object_dispatch_end[];
extern const unsigned char object_xdp4_begin[], object_xdp4_end[];
extern const unsigned char object_xdp6_begin[], object_xdp6_end[];
extern const unsigned char object_tc4_begin[], object_tc4_end[];
extern const unsigned char object_tc6_begin[], object_tc6_end[];
extern const unsigned char object_classify_begin[], object_classify_end[];

#endif
