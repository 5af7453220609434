/* SPDX-License-Identifier: GPL-2.0-only */
/* The ELF image of a compiled table, as libbpf's linker and loader expect it. */
#ifndef UBPFILTER_ELF_OBJECT_H
#define UBPFILTER_ELF_OBJECT_H

#include "assembler.h"
#include "classify.h"
#include "compile.h"

/* Which of the two signatures a function has; both return int. */
enum signature {
	SIGNATURE_CHAIN,  /* int (struct packet *packet) */
	SIGNATURE_NUMBER, /* int (u32 number, struct packet *packet) */
};

struct function {
	char name[32];
	enum signature signature;
	uint32_t begin; /* first instruction */
	uint32_t end;	/* one past the last */
};

struct elf_source {
	const struct assembler *assembler; /* finished */
	const struct function *functions;  /* in the order of their code */
	uint32_t function_count;
	const struct ir *ir;	    /* the lines' text */
	const char *source_name;    /* "file" of the line info */
	uint32_t needs;		    /* value of table_needs */
	const struct state *states; /* value of `states`, ir->state_count of them; NULL: none */
	uint32_t blocks;	    /* elements of the map `counters` */
	const struct classifier_image *image; /* values of `classifier`, `table_data`; NULL: none */
};

/**
 * elf_object_write() - write the image.
 * @object: set on success.
 * Return: 0; -ENOMEM; -EIO when libelf refuses (@message says why).
 */
int elf_object_write(const struct elf_source *source, struct object *object,
		     struct message *message);

#endif
