/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table's chains, as the entry programs run them. A table as code has a function for each, which
 * entry programs call. For tables as data the entry programs are compiled once more, with
 * CLASSIFIED, and have the walk in them: a call costs 8 ns where the CPU's returns are mitigated.
 */
#ifndef UBPFILTER_CHAINS_H
#define UBPFILTER_CHAINS_H

#include "types.h"

enum chain {
	CHAIN_INPUT,
	CHAIN_FORWARD,
	CHAIN_OUTPUT,
};

#ifdef CLASSIFIED

#include "classify_table.h"

/* The functions are there nevertheless, for others who link with the table. */
#define CHAIN_FUNCTION(name, chain)                \
	int name(struct packet *packet)            \
	{                                          \
		return table_judge(packet, chain); \
	}

#define RUN_INPUT(stage, packet)	  table_judge(packet, CHAIN_INPUT)
#define RUN_FORWARD(stage, packet)	  table_judge(packet, CHAIN_FORWARD)
#define RUN_OUTPUT(stage, packet)	  table_judge(packet, CHAIN_OUTPUT)
#define RUN_INGRESS(stage, packet, chain) table_judge(packet, chain)

#else

#define CHAIN_FUNCTION(name, chain) int name(struct packet *packet);

#define RUN_INPUT(stage, packet)   stage##_input(packet)
#define RUN_FORWARD(stage, packet) stage##_forward(packet)
#define RUN_OUTPUT(stage, packet)  stage##_output(packet)
#define RUN_INGRESS(stage, packet, chain) \
	((chain) == CHAIN_INPUT ? stage##_input(packet) : stage##_forward(packet))

#endif

#endif
