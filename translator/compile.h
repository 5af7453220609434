/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiler's one entry: a checked table in, an ELF object in memory out. No I/O, no globals.
 *
 * The object holds, for each stage asked for, one global function a built-in chain, named
 * <stage>_<chain> (`xdp_input`, `xdp_forward`, `tc_input`, `tc_forward`, `tc_output`, `nf_input`,
 * `nf_forward`, `nf_output`):
 *
 *	int <stage>_<chain>(struct packet *packet);	returns enum verdict
 *
 * the map `counters` (BPF_MAP_TYPE_PERCPU_ARRAY, value = struct counter_block), the read-only
 * variables `table_needs` (u32, enum table_needs) and `table_states` (u32, how many stateful
 *matches there are), for those the variable `states` (bpf/state.h), BTF, and line info whose lines
 *are the rules in iptables-save form. link_object() joins it with the entry programs of bpf/.
 */
#ifndef UBPFILTER_COMPILE_H
#define UBPFILTER_COMPILE_H

#include "../common/message.h"
#include "../iptables-compat/table.h"
#include "ir.h"
#include "layout.h"

enum stage {
	STAGE_XDP,
	STAGE_TC,
	STAGE_NF,
	STAGE_COUNT,
};

#define STAGE_BIT(stage) (1u << (stage))

/* Among STAGE_BIT()s: the kernel's own table decides, behind all stages. */
#define KERNEL_BEHIND (1u << 30)

/* With one of these, XDP and TC are early stages. */
#define DECIDED_BEHIND (STAGE_BIT(STAGE_NF) | KERNEL_BEHIND)

/* How a table becomes code. */
enum form {
	FORM_AUTO,     /* whichever costs a packet less */
	FORM_STRAIGHT, /* code for each rule, one after the other */
	FORM_TREES,    /* the same code for all tables, and decision trees as data */
	FORM_CALLS,    /* trees, and no chain repeated where it is jumped to */
};

/*
 * The sections of a classifier: its shape, which libbpf freezes so that it is constant to the
 * verifier; not .rodata, which holds constants of all objects linked. And the table's data, not
 * frozen, so that another table of the same shape can take their place.
 */
#define CLASSIFIER_SECTION ".rodata.classifier"
#define TABLE_SECTION	   ".data.table"

/* What stateful matches remember, only where there are some. */
#define STATES_SECTION ".data.states"

/* Whether there is somebody to have targets executed by the kernel beside the programs. */
enum executing {
	EXECUTING_NOTHING,
	EXECUTING_TARGETS, /* the netfilter stage only */
};

struct compile_options {
	unsigned stages; /* STAGE_BIT()s; beside STAGE_NF the others are early (place.h) */
	enum form form;
	enum executing executing;
	const struct table_shape *likes; /* shapes to take, as layout_make(); NULL: none */
};

struct execution_list;
struct rate_list;

struct object {
	unsigned char *data; /* owned: an ELF image */
	size_t size;
	unsigned stages; /* STAGE_BIT()s that it has functions for */
	/* all 0 for one that was read from a file: */
	uint32_t needs;			   /* enum table_needs */
	bool classified;		   /* chains are data: it has no functions for them */
	struct table_shape shape;	   /* of the data; of a table as code, `blocks` only */
	size_t table_offset;		   /* in `data`: those data; nothing else in it changes */
	size_t table_size;		   /* with the rules of tables of the same shape */
	struct execution_list *executions; /* owned; NULL: the kernel has nothing to execute */
	struct rate_list *rates;	   /* owned; NULL: no rule has a table of rates */
};

/**
 * compile() - translate a table.
 * @object: set on success; release with object_free().
 * Return: 0; -EOPNOTSUPP for a match or target that is not done in BPF, or not at these stages
 * (@message names it); -E2BIG when the table is too large (@message says the number); -ENOMEM.
 */
int compile(const struct table *table, const struct compile_options *options, struct object *object,
	    struct message *message);

/**
 * compile_early() - what may be dropped in front of a table that the kernel enforces.
 * @table: decoded as DEMAND_SOUND. @stages: STAGE_BIT()s of early stages.
 * Return: as compile(); -ENODATA when that is nothing.
 */
int compile_early(const struct table *table, unsigned stages, struct object *object,
		  struct message *message);

/** lower() - the table as IR; the first half of compile(). Errors as compile(). */
int lower(const struct table *table, struct ir **ir, struct message *message);

/**
 * lower_known() - the same of a table that another enforces: what BPF does not do of a rule is a
 * predicate on FIELD_BEYOND, which no stage knows.
 */
int lower_known(const struct table *table, struct ir **ir);

/**
 * lower_each() - the same to look at a table, rule by rule: what BPF does not do of a rule is
 * missing in the IR.
 * @messages: one for each entry; set for rules that BPF does not do, and why.
 */
int lower_each(const struct table *table, struct ir **ir, struct message *messages);

/**
 * emit() - the IR as an ELF object; the second half of compile(). Errors as compile().
 * @source_name: shown as the file name in line info, for example "filter" or "filter6".
 */
int emit(const struct ir *ir, const struct compile_options *options, const char *source_name,
	 struct object *object, struct message *message);

void object_free(struct object *object);

/** object_read() - a whole file as an object, from its first byte on. Return: 0 or -errno. */
int object_read(int fd, struct object *object);

/** stage_name() - "xdp", "tc", "nf": the prefix of the functions' names. */
const char *stage_name(enum stage stage);

#endif
