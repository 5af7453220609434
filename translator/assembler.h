/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small BPF assembler: instructions appended in order, jumps to labels that are resolved, and
 * checked for range, at the end. Errors stick: after the first one nothing is added any more and
 * assembler_finish() returns it, so that the emitter needs no check at every instruction.
 */
#ifndef UBPFILTER_ASSEMBLER_H
#define UBPFILTER_ASSEMBLER_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t label_t;

/* Which source line an instruction begins; lines last until the next one. */
struct line {
	uint32_t instruction;
	uint32_t rule;
};

/* What stands elsewhere, and an instruction refers to. */
enum outside {
	OUTSIDE_COUNTERS, /* the map `counters`: a 64-bit load of it */
	OUTSIDE_STATE,	  /* the function `table_state`: a call */
};

struct reference {
	uint32_t instruction;
	enum outside to;
};

struct assembler {
	struct bpf_insn *instructions; /* owned */
	uint32_t count;
	uint32_t *labels; /* owned; position of each label, or LABEL_OPEN */
	bool *referenced; /* owned; whether something jumps to the label */
	uint32_t label_count;
	struct jump *jumps; /* owned; jumps to be resolved */
	uint32_t jump_count;
	struct reference *references; /* owned; for the linker and the loader */
	uint32_t reference_count;
	struct line *lines; /* owned */
	uint32_t line_count;
	uint32_t limit; /* most instructions that are taken */
	int error;
};

/** label_new() - a label without a place yet. */
label_t label_new(struct assembler *assembler);
/** label_place() - let the label stand for the next instruction. Once a label. */
void label_place(struct assembler *assembler, label_t label);
/** label_is_referenced() - whether a jump to it was emitted. */
bool label_is_referenced(const struct assembler *assembler, label_t label);

void emit_insn(struct assembler *assembler, struct bpf_insn instruction);
/** emit_jump() - `if (left op immediate) goto label`; 32-bit comparison. BPF_JA: always. */
void emit_jump(struct assembler *assembler, uint8_t operation, uint8_t left, int32_t immediate,
	       label_t label);
/** emit_jump_not_null() - `if (left) goto label`, all 64 bits: for pointers. */
void emit_jump_not_null(struct assembler *assembler, uint8_t left, label_t label);
/** emit_load() - target = *(size *)(base + offset); size BPF_B, BPF_H, BPF_W or BPF_DW. */
void emit_load(struct assembler *assembler, uint8_t size, uint8_t target, uint8_t base,
	       int16_t offset);
void emit_store(struct assembler *assembler, uint8_t size, uint8_t base, int16_t offset,
		uint8_t source);
/** emit_atomic_add() - *(u64 *)(base + offset) += source, in one step that nothing interrupts. */
void emit_atomic_add(struct assembler *assembler, uint8_t base, int16_t offset, uint8_t source);
void emit_move(struct assembler *assembler, uint8_t target, uint8_t source);
void emit_move_immediate(struct assembler *assembler, uint8_t target, int32_t immediate);
/** emit_immediate64() - target = a 64-bit constant; two instruction slots. */
void emit_immediate64(struct assembler *assembler, uint8_t target, uint64_t value);
/** emit_alu() - 64-bit target op= source; emit_add(): 64-bit, a constant. */
void emit_alu(struct assembler *assembler, uint8_t operation, uint8_t target, uint8_t source);
void emit_add(struct assembler *assembler, uint8_t target, int32_t immediate);
/** emit_alu_immediate() - 32-bit target op= immediate; the upper half becomes 0. */
void emit_alu_immediate(struct assembler *assembler, uint8_t operation, uint8_t target,
			int32_t immediate);
/** emit_big_endian() - the lower 16, 32 or 64 bits of target from or to network order. */
void emit_big_endian(struct assembler *assembler, uint8_t target, int32_t bits);
/** emit_map() - target = the map `counters`, relocated by the loader. */
void emit_map(struct assembler *assembler, uint8_t target);
void emit_helper_call(struct assembler *assembler, int32_t helper);
/** emit_call() - call the function that begins at @label, in the same section. */
void emit_call(struct assembler *assembler, label_t label);
/** emit_call_state() - call the function `table_state`, which the linker brings. */
void emit_call_state(struct assembler *assembler);
void emit_exit(struct assembler *assembler);
/** emit_line() - what follows belongs to @rule, in line info. */
void emit_line(struct assembler *assembler, uint32_t rule);

/**
 * assembler_finish() - resolve all jumps.
 * Return: 0; -ENOMEM; -E2BIG: over the limit, or a jump that is too far.
 */
int assembler_finish(struct assembler *assembler);

/** assembler_refers() - does an instruction refer to it? */
bool assembler_refers(const struct assembler *assembler, enum outside to);

/**
 * assembler_branches() - an upper bound of how many branches the verifier has set aside at a time
 * when it checks the function from instruction @begin to before @end.
 *
 * It follows the way that falls through, sets the other one aside at each conditional jump, and
 * takes up the last one set aside at each exit. In code that only jumps forward, each rule thus
 * leaves its conditional jumps less its exits behind.
 */
uint32_t assembler_branches(const struct assembler *assembler, uint32_t begin, uint32_t end);
void assembler_free(struct assembler *assembler);

#endif
