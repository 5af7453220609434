/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs of bpf/, compiled and carried inside this program (objects.S). */
#ifndef UBPFILTER_OBJECTS_H
#define UBPFILTER_OBJECTS_H

#include <stdint.h>

extern const unsigned char object_dispatch[];
extern const uint64_t object_dispatch_size; /* bytes */
extern const unsigned char object_dispatch_netfilter[];
extern const uint64_t object_dispatch_netfilter_size; /* bytes */
extern const unsigned char object_xdp4[];
extern const uint64_t object_xdp4_size; /* bytes */
extern const unsigned char object_xdp6[];
extern const uint64_t object_xdp6_size; /* bytes */
extern const unsigned char object_tc4[];
extern const uint64_t object_tc4_size; /* bytes */
extern const unsigned char object_tc6[];
extern const uint64_t object_tc6_size; /* bytes */
extern const unsigned char object_connection4[];
extern const uint64_t object_connection4_size; /* bytes */
extern const unsigned char object_connection6[];
extern const uint64_t object_connection6_size; /* bytes */
extern const unsigned char object_trace4[];
extern const uint64_t object_trace4_size; /* bytes */
extern const unsigned char object_trace6[];
extern const uint64_t object_trace6_size; /* bytes */
extern const unsigned char object_way4[];
extern const uint64_t object_way4_size; /* bytes */
extern const unsigned char object_way6[];
extern const uint64_t object_way6_size; /* bytes */
extern const unsigned char object_netfilter4[];
extern const uint64_t object_netfilter4_size; /* bytes */
extern const unsigned char object_netfilter6[];
extern const uint64_t object_netfilter6_size; /* bytes */
extern const unsigned char object_state[];
extern const uint64_t object_state_size; /* bytes */
extern const unsigned char object_wall_clock[];
extern const uint64_t object_wall_clock_size; /* bytes */
extern const unsigned char object_state_rates[];
extern const uint64_t object_state_rates_size; /* bytes */
extern const unsigned char object_groups[];
extern const uint64_t object_groups_size; /* bytes */
extern const unsigned char object_xdp_early4[];
extern const uint64_t object_xdp_early4_size; /* bytes */
extern const unsigned char object_xdp_early6[];
extern const uint64_t object_xdp_early6_size; /* bytes */
extern const unsigned char object_xdp_early4c[];
extern const uint64_t object_xdp_early4c_size; /* bytes */
extern const unsigned char object_xdp_early6c[];
extern const uint64_t object_xdp_early6c_size; /* bytes */
extern const unsigned char object_tc_early4[];
extern const uint64_t object_tc_early4_size; /* bytes */
extern const unsigned char object_tc_early6[];
extern const uint64_t object_tc_early6_size; /* bytes */
extern const unsigned char object_tc_early4c[];
extern const uint64_t object_tc_early4c_size; /* bytes */
extern const unsigned char object_tc_early6c[];
extern const uint64_t object_tc_early6c_size; /* bytes */
extern const unsigned char object_execute[];
extern const uint64_t object_execute_size; /* bytes */
extern const unsigned char object_surroundings[];
extern const uint64_t object_surroundings_size; /* bytes */
extern const unsigned char object_xdp4c[];
extern const uint64_t object_xdp4c_size; /* bytes */
extern const unsigned char object_xdp6c[];
extern const uint64_t object_xdp6c_size; /* bytes */
extern const unsigned char object_tc4c[];
extern const uint64_t object_tc4c_size; /* bytes */
extern const unsigned char object_tc6c[];
extern const uint64_t object_tc6c_size; /* bytes */
extern const unsigned char object_netfilter4c[];
extern const uint64_t object_netfilter4c_size; /* bytes */
extern const unsigned char object_netfilter6c[];
extern const uint64_t object_netfilter6c_size; /* bytes */

#endif
