/* SPDX-License-Identifier: GPL-2.0-only */
#include "assembler.h"

#include <errno.h>
#include <stdlib.h>

#define LABEL_OPEN UINT32_MAX

struct jump {
	uint32_t instruction;
	label_t label;
};

/* Room for one more element in an array that grows by doubling; NULL (and the error set) if not. */
static void *grow(struct assembler *assembler, void *array, uint32_t count, size_t size)
{
	void *more = array;

	if (assembler->error)
		return NULL;
	if (count == 0 || (count >= 16 && (count & (count - 1)) == 0))
		more = reallocarray(array, count ? count * (size_t)2 : 16, size);
	if (!more)
		assembler->error = -ENOMEM;
	return more;
}

label_t label_new(struct assembler *assembler)
{
	uint32_t *labels =
		grow(assembler, assembler->labels, assembler->label_count, sizeof(*labels));
	bool *referenced;

	if (!labels)
		return 0;
	assembler->labels = labels;
	referenced =
		grow(assembler, assembler->referenced, assembler->label_count, sizeof(*referenced));
	if (!referenced)
		return 0;
	assembler->referenced = referenced;
	labels[assembler->label_count] = LABEL_OPEN;
	referenced[assembler->label_count] = false;
	return assembler->label_count++;
}

void label_place(struct assembler *assembler, label_t label)
{
	if (!assembler->error)
		assembler->labels[label] = assembler->count;
}

bool label_is_referenced(const struct assembler *assembler, label_t label)
{
	return !assembler->error && assembler->referenced[label];
}

void emit_insn(struct assembler *assembler, struct bpf_insn instruction)
{
	struct bpf_insn *instructions =
		grow(assembler, assembler->instructions, assembler->count, sizeof(*instructions));

	if (!instructions)
		return;
	assembler->instructions = instructions;
	if (assembler->count >= assembler->limit) {
		assembler->error = -E2BIG;
		return;
	}
	instructions[assembler->count++] = instruction;
}

static void jump_to(struct assembler *assembler, label_t label)
{
	struct jump *jumps =
		grow(assembler, assembler->jumps, assembler->jump_count, sizeof(*jumps));

	if (!jumps)
		return;
	assembler->jumps = jumps;
	jumps[assembler->jump_count++] = (struct jump){ assembler->count, label };
	assembler->referenced[label] = true;
}

void emit_jump(struct assembler *assembler, uint8_t operation, uint8_t left, int32_t immediate,
	       label_t label)
{
	uint8_t width = operation == BPF_JA ? BPF_JMP : BPF_JMP32;

	jump_to(assembler, label);
	emit_insn(assembler, (struct bpf_insn){ .code = width | operation | BPF_K,
						.dst_reg = left & 15,
						.imm = immediate });
}

void emit_jump_not_null(struct assembler *assembler, uint8_t left, label_t label)
{
	jump_to(assembler, label);
	emit_insn(assembler,
		  (struct bpf_insn){ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = left & 15 });
}

void emit_load(struct assembler *assembler, uint8_t size, uint8_t target, uint8_t base,
	       int16_t offset)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | size,
						.dst_reg = target & 15,
						.src_reg = base & 15,
						.off = offset });
}

void emit_store(struct assembler *assembler, uint8_t size, uint8_t base, int16_t offset,
		uint8_t source)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_STX | BPF_MEM | size,
						.dst_reg = base & 15,
						.src_reg = source & 15,
						.off = offset });
}

void emit_atomic_add(struct assembler *assembler, uint8_t base, int16_t offset, uint8_t source)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_STX | BPF_ATOMIC | BPF_DW,
						.dst_reg = base & 15,
						.src_reg = source & 15,
						.off = offset,
						.imm = BPF_ADD });
}

void emit_move(struct assembler *assembler, uint8_t target, uint8_t source)
{
	emit_alu(assembler, BPF_MOV, target, source);
}

void emit_move_immediate(struct assembler *assembler, uint8_t target, int32_t immediate)
{
	emit_alu_immediate(assembler, BPF_MOV, target, immediate);
}

void emit_immediate64(struct assembler *assembler, uint8_t target, uint64_t value)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
						.dst_reg = target & 15,
						.imm = (int32_t)value });
	emit_insn(assembler, (struct bpf_insn){ .imm = (int32_t)(value >> 32) });
}

void emit_alu(struct assembler *assembler, uint8_t operation, uint8_t target, uint8_t source)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_ALU64 | operation | BPF_X,
						.dst_reg = target & 15,
						.src_reg = source & 15 });
}

void emit_add(struct assembler *assembler, uint8_t target, int32_t immediate)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
						.dst_reg = target & 15,
						.imm = immediate });
}

void emit_alu_immediate(struct assembler *assembler, uint8_t operation, uint8_t target,
			int32_t immediate)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_ALU | operation | BPF_K,
						.dst_reg = target & 15,
						.imm = immediate });
}

void emit_big_endian(struct assembler *assembler, uint8_t target, int32_t bits)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_ALU | BPF_END | BPF_TO_BE,
						.dst_reg = target & 15,
						.imm = bits });
}

/* The next instruction refers to something outside. */
static void refer(struct assembler *assembler, enum outside to)
{
	struct reference *references = grow(assembler, assembler->references,
					    assembler->reference_count, sizeof(*references));

	if (!references)
		return;
	assembler->references = references;
	references[assembler->reference_count++] = (struct reference){ assembler->count, to };
}

void emit_map(struct assembler *assembler, uint8_t target)
{
	refer(assembler, OUTSIDE_COUNTERS);
	emit_immediate64(assembler, target, 0);
}

void emit_helper_call(struct assembler *assembler, int32_t helper)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = helper });
}

void emit_call(struct assembler *assembler, label_t label)
{
	jump_to(assembler, label);
	emit_insn(assembler,
		  (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL });
}

/* -1: the function's first instruction, as compilers write it. */
void emit_call_state(struct assembler *assembler)
{
	refer(assembler, OUTSIDE_STATE);
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
						.src_reg = BPF_PSEUDO_CALL,
						.imm = -1 });
}

void emit_exit(struct assembler *assembler)
{
	emit_insn(assembler, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

void emit_line(struct assembler *assembler, uint32_t rule)
{
	struct line *lines =
		grow(assembler, assembler->lines, assembler->line_count, sizeof(*lines));

	if (!lines)
		return;
	assembler->lines = lines;
	lines[assembler->line_count++] = (struct line){ assembler->count, rule };
}

/* A call reaches 2^31 instructions, a jump 2^15. */
static int resolve(struct assembler *assembler, const struct jump *jump)
{
	struct bpf_insn *instruction = &assembler->instructions[jump->instruction];
	int64_t distance = (int64_t)assembler->labels[jump->label] - (int64_t)jump->instruction - 1;

	if (assembler->labels[jump->label] == LABEL_OPEN)
		return -EINVAL;
	if (instruction->src_reg == BPF_PSEUDO_CALL && instruction->code == (BPF_JMP | BPF_CALL)) {
		instruction->imm = (int32_t)distance;
		return 0;
	}
	if (distance < INT16_MIN || distance > INT16_MAX)
		return -E2BIG;
	instruction->off = (int16_t)distance;
	return 0;
}

int assembler_finish(struct assembler *assembler)
{
	for (uint32_t i = 0; !assembler->error && i < assembler->jump_count; i++)
		assembler->error = resolve(assembler, &assembler->jumps[i]);
	return assembler->error;
}

bool assembler_refers(const struct assembler *assembler, enum outside to)
{
	for (uint32_t i = 0; i < assembler->reference_count; i++)
		if (assembler->references[i].to == to)
			return true;
	return false;
}

static bool is_conditional_jump(const struct bpf_insn *instruction)
{
	uint8_t class = BPF_CLASS(instruction->code), operation = BPF_OP(instruction->code);

	return (class == BPF_JMP || class == BPF_JMP32) && operation != BPF_JA &&
	       operation != BPF_CALL && operation != BPF_EXIT;
}

uint32_t assembler_branches(const struct assembler *assembler, uint32_t begin, uint32_t end)
{
	uint32_t branches = 0, most = 0;

	for (uint32_t i = begin; i < end; i++) {
		const struct bpf_insn *instruction = &assembler->instructions[i];

		if (is_conditional_jump(instruction) && ++branches > most)
			most = branches;
		if (instruction->code == (BPF_JMP | BPF_EXIT) && branches)
			branches--;
	}
	return most;
}

void assembler_free(struct assembler *assembler)
{
	free(assembler->instructions);
	free(assembler->labels);
	free(assembler->referenced);
	free(assembler->jumps);
	free(assembler->references);
	free(assembler->lines);
}
