/* SPDX-License-Identifier: GPL-2.0-only */
#include "predicate.h"

#include <endian.h>
#include <string.h>

#include "field.h"

/*
 * Every load goes from the packet's memory to a register that is dead at the rule's end. The
 * verifier knows nothing of that memory, so all paths that meet at the next rule are equal to it.
 */
#define REGISTER_VALUE BPF_REG_1
#define REGISTER_OTHER BPF_REG_2

#define PACKET_OFFSET(member) ((int16_t)offsetof(struct packet, member))

void emit_verdict(struct assembler *assembler, enum verdict verdict)
{
	emit_move_immediate(assembler, BPF_REG_0, verdict);
	emit_exit(assembler);
}

static uint8_t load_size(unsigned bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : BPF_W;
}

/* --- masked comparison ---------------------------------------------------------------------- */

/* Fields of 1, 2 and 4 bytes are one word, others are words of 4 bytes each. */
static uint32_t word_at(const uint8_t *bytes, unsigned offset, unsigned size)
{
	uint32_t word = 0;

	memcpy(&word, bytes + offset, size);
	return word;
}

struct masked_word {
	uint32_t value;
	uint32_t mask;
	unsigned size;
};

static struct masked_word masked_word(const struct predicate *predicate, unsigned offset,
				      unsigned field_size)
{
	unsigned size = field_size < 4 ? field_size : 4;

	return (struct masked_word){ word_at(predicate->masked.value, offset, size),
				     word_at(predicate->masked.mask, offset, size), size };
}

static bool mask_is_full(const struct masked_word *word)
{
	return word->mask == UINT32_MAX >> (4 - word->size) * 8;
}

/* value = packet word & mask */
static void load_masked(struct assembler *assembler, int16_t offset, const struct masked_word *word)
{
	emit_load(assembler, load_size(word->size), REGISTER_VALUE, REGISTER_PACKET, offset);
	if (!mask_is_full(word))
		emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, (int32_t)word->mask);
}

/* (packet & 0) == 0 is true whatever the packet; so is it for every word of a /0. */
static bool word_is_trivial(const struct masked_word *word)
{
	return word->mask == 0 && word->value == 0;
}

/* A bit of the value outside the mask: the comparison is false for every packet. */
static bool word_is_impossible(const struct masked_word *word)
{
	return word->value & ~word->mask;
}

static enum predicate_outcome constant_outcome(const struct predicate *predicate, bool holds)
{
	return holds != predicate->invert ? PREDICATE_ALWAYS : PREDICATE_NEVER;
}

static enum predicate_outcome masked_constant(const struct predicate *predicate, unsigned size)
{
	bool trivial = true, impossible = false;

	for (unsigned i = 0; i < size; i += 4) {
		struct masked_word word = masked_word(predicate, i, size);

		trivial &= word_is_trivial(&word);
		impossible |= word_is_impossible(&word);
	}
	if (impossible || trivial)
		return constant_outcome(predicate, !impossible);
	return PREDICATE_DEPENDS;
}

static enum predicate_outcome emit_masked(struct assembler *assembler,
					  const struct predicate *predicate,
					  const struct field_info *field, label_t fail)
{
	enum predicate_outcome constant = masked_constant(predicate, field->size);
	label_t differs = fail;

	if (constant != PREDICATE_DEPENDS)
		return constant;
	if (predicate->invert)
		differs = label_new(assembler);
	for (unsigned i = 0; i < field->size; i += 4) {
		struct masked_word word = masked_word(predicate, i, field->size);

		if (word_is_trivial(&word))
			continue;
		load_masked(assembler, (int16_t)(field->offset + i), &word);
		emit_jump(assembler, BPF_JNE, REGISTER_VALUE, (int32_t)word.value, differs);
	}
	if (predicate->invert) {
		emit_jump(assembler, BPF_JA, 0, 0, fail);
		label_place(assembler, differs);
	}
	return PREDICATE_DEPENDS;
}

/* --- ranges --------------------------------------------------------------------------------- */

static enum predicate_outcome range_constant(const struct predicate *predicate, uint32_t maximum)
{
	uint32_t min = predicate->range.min, max = predicate->range.max;

	if (min > max || min > maximum)
		return constant_outcome(predicate, false);
	if (min == 0 && max >= maximum)
		return constant_outcome(predicate, true);
	return PREDICATE_DEPENDS;
}

static void compare_range(struct assembler *assembler, const struct predicate *predicate,
			  label_t fail)
{
	int32_t min = (int32_t)predicate->range.min, max = (int32_t)predicate->range.max;

	if (min == max) {
		emit_jump(assembler, predicate->invert ? BPF_JEQ : BPF_JNE, REGISTER_VALUE, min,
			  fail);
	} else if (predicate->invert) {
		label_t outside = label_new(assembler);

		emit_jump(assembler, BPF_JLT, REGISTER_VALUE, min, outside);
		emit_jump(assembler, BPF_JLE, REGISTER_VALUE, max, fail);
		label_place(assembler, outside);
	} else {
		emit_jump(assembler, BPF_JLT, REGISTER_VALUE, min, fail);
		emit_jump(assembler, BPF_JGT, REGISTER_VALUE, max, fail);
	}
}

static enum predicate_outcome emit_range(struct assembler *assembler,
					 const struct predicate *predicate,
					 const struct field_info *field, label_t fail)
{
	enum predicate_outcome constant =
		range_constant(predicate, UINT32_MAX >> (4 - field->size) * 8);

	if (constant != PREDICATE_DEPENDS)
		return constant;
	emit_load(assembler, load_size(field->size), REGISTER_VALUE, REGISTER_PACKET,
		  (int16_t)field->offset);
	compare_range(assembler, predicate, fail);
	return PREDICATE_DEPENDS;
}

/* --- ranges of addresses -------------------------------------------------------------------- */

/* Jump to @beyond where the address is further than @bound in the direction of @operation. */
static void compare_bytes(struct assembler *assembler, const struct field_info *field,
			  const uint8_t *bound, unsigned size, uint8_t operation, label_t beyond)
{
	uint8_t opposite = operation == BPF_JLT ? BPF_JGT : BPF_JLT;
	label_t within = label_new(assembler);

	for (unsigned i = 0; i < size; i += 4) {
		int32_t word = (int32_t)be32toh(word_at(bound, i, 4));

		emit_load(assembler, BPF_W, REGISTER_VALUE, REGISTER_PACKET,
			  (int16_t)(field->offset + i));
		emit_big_endian(assembler, REGISTER_VALUE, 32);
		emit_jump(assembler, operation, REGISTER_VALUE, word, beyond);
		if (i + 4 < size)
			emit_jump(assembler, opposite, REGISTER_VALUE, word, within);
	}
	label_place(assembler, within);
}

static enum predicate_outcome emit_bytes(struct assembler *assembler,
					 const struct predicate *predicate,
					 const struct field_info *field, uint8_t family,
					 label_t fail)
{
	unsigned size = family == 4 ? 4 : field->size;
	label_t outside = predicate->invert ? label_new(assembler) : fail;

	if (memcmp(predicate->bytes.first, predicate->bytes.last, size) > 0)
		return constant_outcome(predicate, false);
	compare_bytes(assembler, field, predicate->bytes.first, size, BPF_JLT, outside);
	compare_bytes(assembler, field, predicate->bytes.last, size, BPF_JGT, outside);
	if (predicate->invert) {
		emit_jump(assembler, BPF_JA, 0, 0, fail);
		label_place(assembler, outside);
	}
	return PREDICATE_DEPENDS;
}

/* --- sets ----------------------------------------------------------------------------------- */

static enum predicate_outcome emit_set(struct assembler *assembler,
				       const struct predicate *predicate,
				       const struct field_info *field, label_t fail)
{
	label_t out = predicate->invert ? label_new(assembler) : fail;

	if (!predicate->set)
		return constant_outcome(predicate, false);
	emit_load(assembler, load_size(field->size), REGISTER_VALUE, REGISTER_PACKET,
		  (int16_t)field->offset);
	emit_jump(assembler, BPF_JGT, REGISTER_VALUE, 63, out);
	emit_immediate64(assembler, REGISTER_OTHER, predicate->set);
	emit_alu(assembler, BPF_RSH, REGISTER_OTHER, REGISTER_VALUE);
	emit_alu_immediate(assembler, BPF_AND, REGISTER_OTHER, 1);
	emit_jump(assembler, predicate->invert ? BPF_JNE : BPF_JEQ, REGISTER_OTHER, 0, fail);
	if (predicate->invert)
		label_place(assembler, out);
	return PREDICATE_DEPENDS;
}

/* --- the fields that are more than a comparison --------------------------------------------- */

/* Fall through unless one of @bits is set in the packet's byte at @offset; is one: to @set. */
static void jump_if_bits(struct assembler *assembler, int16_t offset, unsigned bits, label_t set)
{
	emit_load(assembler, BPF_B, REGISTER_VALUE, REGISTER_PACKET, offset);
	emit_jump(assembler, BPF_JSET, REGISTER_VALUE, (int32_t)bits, set);
}

/* as ip6_packet_match(): no protocol to be found is a hotdrop, but for later fragments */
static enum predicate_outcome emit_protocol(struct assembler *assembler,
					    const struct predicate *predicate, uint8_t family,
					    label_t fail)
{
	const struct field_info *field = field_info(FIELD_PROTOCOL);
	enum predicate_outcome outcome;
	label_t missing, found;

	if (family == 4)
		return emit_range(assembler, predicate, field, fail);
	missing = label_new(assembler);
	found = label_new(assembler);
	jump_if_bits(assembler, PACKET_OFFSET(flags), PACKET_NO_PROTOCOL, missing);
	emit_jump(assembler, BPF_JA, 0, 0, found);
	label_place(assembler, missing);
	jump_if_bits(assembler, PACKET_OFFSET(flags), PACKET_FRAGMENT, fail);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, found);
	outcome = emit_range(assembler, predicate, field, fail);
	return outcome == PREDICATE_ALWAYS ? PREDICATE_DEPENDS : outcome;
}

static enum predicate_outcome emit_fragment(struct assembler *assembler,
					    const struct predicate *predicate, label_t fail)
{
	bool whole = predicate->range.min == 0, later = predicate->range.max != 0;

	if (whole == later)
		return range_constant(predicate, 1);
	emit_load(assembler, BPF_B, REGISTER_VALUE, REGISTER_PACKET, PACKET_OFFSET(flags));
	emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, PACKET_FRAGMENT);
	emit_jump(assembler, later != predicate->invert ? BPF_JEQ : BPF_JNE, REGISTER_VALUE, 0,
		  fail);
	return PREDICATE_DEPENDS;
}

/* as tcp_mt(), udp_mt(), icmp_match(): a header that should be there and is not is a hotdrop */
static void emit_transport(struct assembler *assembler, const struct predicate *predicate,
			   label_t fail)
{
	label_t there = label_new(assembler);

	emit_load(assembler, BPF_B, REGISTER_VALUE, REGISTER_PACKET, PACKET_OFFSET(transport));
	emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_OK, there);
	if (predicate->ports_suffice)
		emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_PORTS, there);
	emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_FRAGMENT, fail);
	if (!predicate->fragment_one_drops)
		emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_FRAGMENT_ONE, fail);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, there);
}

static void emit_drop_if_bits(struct assembler *assembler, int16_t offset, unsigned bits)
{
	label_t bad = label_new(assembler), good = label_new(assembler);

	jump_if_bits(assembler, offset, bits, bad);
	emit_jump(assembler, BPF_JA, 0, 0, good);
	label_place(assembler, bad);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, good);
}

static void emit_tcp_option(struct assembler *assembler, const struct predicate *predicate,
			    label_t fail)
{
	unsigned kind = predicate->range.min;

	emit_drop_if_bits(assembler, PACKET_OFFSET(flags), PACKET_TCP_OPTIONS_BAD);
	/* 32 kinds a word: the bit is tested with a 32-bit mask */
	emit_load(assembler, BPF_W, REGISTER_VALUE, REGISTER_PACKET,
		  (int16_t)(PACKET_OFFSET(tcp_options) + (int)(kind / 32) * 4));
	emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, (int32_t)(1u << kind % 32));
	emit_jump(assembler, predicate->invert ? BPF_JNE : BPF_JEQ, REGISTER_VALUE, 0, fail);
}

static void emit_state_hotdrop(struct assembler *assembler)
{
	label_t answered = label_new(assembler);

	emit_jump(assembler, BPF_JNE, BPF_REG_0, STATE_HOTDROP, answered);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, answered);
}

/* Called even where the answer is known: the call is what is remembered. */
static void emit_state(struct assembler *assembler, const struct predicate *predicate, label_t fail)
{
	emit_move_immediate(assembler, BPF_REG_1, (int32_t)predicate->state_index);
	emit_move(assembler, BPF_REG_2, REGISTER_PACKET);
	emit_call_state(assembler);
	if (predicate->state.kind == STATE_RATE)
		emit_state_hotdrop(assembler);
	emit_jump(assembler, predicate->invert ? BPF_JNE : BPF_JEQ, BPF_REG_0, 0, fail);
}

static enum predicate_outcome emit_special(struct assembler *assembler,
					   const struct predicate *predicate, uint8_t family,
					   label_t fail)
{
	switch ((enum field)predicate->field) {
	case FIELD_PROTOCOL:
		return emit_protocol(assembler, predicate, family, fail);
	case FIELD_FRAGMENT:
		return emit_fragment(assembler, predicate, fail);
	case FIELD_TCP_OPTION:
		emit_tcp_option(assembler, predicate, fail);
		return PREDICATE_DEPENDS;
	case FIELD_TRANSPORT:
		emit_transport(assembler, predicate, fail);
		return PREDICATE_DEPENDS;
	case FIELD_SOUND:
	case FIELD_HEADERS_SOUND:
		emit_drop_if_bits(assembler,
				  (int16_t)field_info((enum field)predicate->field)->offset,
				  predicate->range.min);
		return PREDICATE_DEPENDS;
	case FIELD_STATE:
	case FIELD_HOOK_STATE:
		emit_state(assembler, predicate, fail);
		return PREDICATE_DEPENDS;
	default:
		return PREDICATE_NEVER;
	}
}

static enum predicate_outcome emit_one(struct assembler *assembler,
				       const struct predicate *predicate, uint8_t family,
				       label_t fail)
{
	const struct field_info *field = field_info((enum field)predicate->field);

	if (field->special)
		return emit_special(assembler, predicate, family, fail);
	switch ((enum operand)field->operand) {
	case OPERAND_MASKED:
		return emit_masked(assembler, predicate, field, fail);
	case OPERAND_RANGE:
		return emit_range(assembler, predicate, field, fail);
	case OPERAND_BYTES:
		return emit_bytes(assembler, predicate, field, family, fail);
	case OPERAND_SET:
		return emit_set(assembler, predicate, field, fail);
	case OPERAND_NONE:
		break;
	}
	return PREDICATE_NEVER;
}

/*
 * Each alternative but the last leads to the end of the clause when it holds: the opposite of it is
 * emitted, which fails to there.
 */
enum predicate_outcome clause_emit(struct assembler *assembler, const struct predicate **next,
				   uint8_t family, label_t fail)
{
	const struct predicate *predicate = *next, *last = predicate;
	label_t met = label_new(assembler);
	enum predicate_outcome outcome = PREDICATE_DEPENDS;

	while (last->or_next)
		last++;
	*next = last + 1;
	for (; predicate < last && outcome != PREDICATE_NEVER; predicate++) {
		struct predicate opposite = *predicate;

		opposite.invert = !predicate->invert;
		outcome = emit_one(assembler, &opposite, family, met);
	}
	if (outcome == PREDICATE_NEVER) { /* the opposite of an alternative that always holds */
		label_place(assembler, met);
		return PREDICATE_ALWAYS;
	}
	outcome = emit_one(assembler, last, family, fail);
	if (outcome == PREDICATE_NEVER && label_is_referenced(assembler, met)) {
		emit_jump(assembler, BPF_JA, 0, 0, fail);
		outcome = PREDICATE_DEPENDS;
	}
	label_place(assembler, met);
	return outcome;
}
