/* SPDX-License-Identifier: GPL-2.0-only */
#include "predicate.h"

#include <string.h>

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

/* --- masked comparison ---------------------------------------------------------------------- */

static uint32_t word_at(const uint8_t *bytes, unsigned offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/* value = packet word & mask */
static void load_masked(struct assembler *assembler, int16_t offset, uint32_t mask)
{
	emit_load(assembler, BPF_W, REGISTER_VALUE, REGISTER_PACKET, offset);
	if (mask != UINT32_MAX)
		emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, (int32_t)mask);
}

/* (packet & 0) == 0 is true whatever the packet; so is it for every word of a /0. */
static bool word_is_trivial(const struct predicate *predicate, unsigned offset)
{
	return word_at(predicate->masked.mask, offset) == 0 &&
	       word_at(predicate->masked.value, offset) == 0;
}

/* A bit of the value outside the mask: the comparison is false for every packet. */
static bool word_is_impossible(const struct predicate *predicate, unsigned offset)
{
	return word_at(predicate->masked.value, offset) & ~word_at(predicate->masked.mask, offset);
}

static enum predicate_outcome masked_constant(const struct predicate *predicate, unsigned size)
{
	bool trivial = true, impossible = false;

	for (unsigned i = 0; i < size; i += 4) {
		trivial &= word_is_trivial(predicate, i);
		impossible |= word_is_impossible(predicate, i);
	}
	if (impossible)
		return predicate->invert ? PREDICATE_ALWAYS : PREDICATE_NEVER;
	if (trivial)
		return predicate->invert ? PREDICATE_NEVER : PREDICATE_ALWAYS;
	return PREDICATE_DEPENDS;
}

static enum predicate_outcome emit_masked(struct assembler *assembler,
					  const struct predicate *predicate, int16_t offset,
					  unsigned size, label_t fail)
{
	enum predicate_outcome constant = masked_constant(predicate, size);
	label_t differs = fail;

	if (constant != PREDICATE_DEPENDS)
		return constant;
	if (predicate->invert)
		differs = label_new(assembler);
	for (unsigned i = 0; i < size; i += 4) {
		if (word_is_trivial(predicate, i))
			continue;
		load_masked(assembler, (int16_t)(offset + (int)i),
			    word_at(predicate->masked.mask, i));
		emit_jump(assembler, BPF_JNE, REGISTER_VALUE,
			  (int32_t)word_at(predicate->masked.value, i), differs);
	}
	if (predicate->invert) {
		emit_jump(assembler, BPF_JA, 0, 0, fail);
		label_place(assembler, differs);
	}
	return PREDICATE_DEPENDS;
}

/* --- ranges --------------------------------------------------------------------------------- */

static enum predicate_outcome range_constant(const struct predicate *predicate, uint16_t maximum)
{
	uint16_t min = predicate->range.min, max = predicate->range.max;

	if (min > max || min > maximum)
		return predicate->invert ? PREDICATE_ALWAYS : PREDICATE_NEVER;
	if (min == 0 && max >= maximum)
		return predicate->invert ? PREDICATE_NEVER : PREDICATE_ALWAYS;
	return PREDICATE_DEPENDS;
}

static void compare_range(struct assembler *assembler, const struct predicate *predicate,
			  label_t fail)
{
	uint16_t min = predicate->range.min, max = predicate->range.max;

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
					 const struct predicate *predicate, uint8_t size,
					 int16_t offset, label_t fail)
{
	enum predicate_outcome constant =
		range_constant(predicate, size == BPF_B ? UINT8_MAX : UINT16_MAX);

	if (constant != PREDICATE_DEPENDS)
		return constant;
	emit_load(assembler, size, REGISTER_VALUE, REGISTER_PACKET, offset);
	compare_range(assembler, predicate, fail);
	return PREDICATE_DEPENDS;
}

/* --- the fields that are more than a comparison --------------------------------------------- */

/* Fall through unless @flag is set in the packet's flags; @flag set: to @set. */
static void jump_if_flag(struct assembler *assembler, enum packet_flags flag, label_t set)
{
	emit_load(assembler, BPF_B, REGISTER_VALUE, REGISTER_PACKET, PACKET_OFFSET(flags));
	emit_jump(assembler, BPF_JSET, REGISTER_VALUE, flag, set);
}

/* as ip6_packet_match(): no protocol to be found is a hotdrop, but for later fragments */
static enum predicate_outcome emit_protocol(struct assembler *assembler,
					    const struct predicate *predicate, uint8_t family,
					    label_t fail)
{
	enum predicate_outcome outcome;
	label_t missing, found;

	if (family == 4)
		return emit_range(assembler, predicate, BPF_B, PACKET_OFFSET(protocol), fail);
	missing = label_new(assembler);
	found = label_new(assembler);
	jump_if_flag(assembler, PACKET_NO_PROTOCOL, missing);
	emit_jump(assembler, BPF_JA, 0, 0, found);
	label_place(assembler, missing);
	jump_if_flag(assembler, PACKET_FRAGMENT, fail);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, found);
	outcome = emit_range(assembler, predicate, BPF_B, PACKET_OFFSET(protocol), fail);
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
	emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_FRAGMENT, fail);
	if (!predicate->fragment_one_drops)
		emit_jump(assembler, BPF_JEQ, REGISTER_VALUE, TRANSPORT_FRAGMENT_ONE, fail);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, there);
}

static void emit_tcp_option(struct assembler *assembler, const struct predicate *predicate,
			    label_t fail)
{
	label_t bad = label_new(assembler), good = label_new(assembler);
	unsigned kind = predicate->range.min;

	jump_if_flag(assembler, PACKET_TCP_OPTIONS_BAD, bad);
	emit_jump(assembler, BPF_JA, 0, 0, good);
	label_place(assembler, bad);
	emit_verdict(assembler, VERDICT_DROP);
	label_place(assembler, good);
	/* 32 kinds a word: the bit is tested with a 32-bit mask */
	emit_load(assembler, BPF_W, REGISTER_VALUE, REGISTER_PACKET,
		  (int16_t)(PACKET_OFFSET(tcp_options) + (int)(kind / 32) * 4));
	emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, (int32_t)(1u << kind % 32));
	emit_jump(assembler, predicate->invert ? BPF_JNE : BPF_JEQ, REGISTER_VALUE, 0, fail);
}

static enum predicate_outcome emit_tcp_flags(struct assembler *assembler,
					     const struct predicate *predicate, label_t fail)
{
	enum predicate_outcome constant = masked_constant(predicate, 4);

	if (constant != PREDICATE_DEPENDS)
		return constant;
	emit_load(assembler, BPF_B, REGISTER_VALUE, REGISTER_PACKET, PACKET_OFFSET(tcp_flags));
	emit_alu_immediate(assembler, BPF_AND, REGISTER_VALUE, predicate->masked.mask[0]);
	emit_jump(assembler, predicate->invert ? BPF_JEQ : BPF_JNE, REGISTER_VALUE,
		  predicate->masked.value[0], fail);
	return PREDICATE_DEPENDS;
}

enum predicate_outcome predicate_emit(struct assembler *assembler,
				      const struct predicate *predicate, uint8_t family,
				      label_t fail)
{
	unsigned address = family == 4 ? 4 : 16;

	switch ((enum field)predicate->field) {
	case FIELD_SOURCE:
		return emit_masked(assembler, predicate, PACKET_OFFSET(source), address, fail);
	case FIELD_DESTINATION:
		return emit_masked(assembler, predicate, PACKET_OFFSET(destination), address, fail);
	case FIELD_IN_NAME:
		return emit_masked(assembler, predicate, PACKET_OFFSET(in_name), IFACE_NAME_SIZE,
				   fail);
	case FIELD_OUT_NAME:
		return emit_masked(assembler, predicate, PACKET_OFFSET(out_name), IFACE_NAME_SIZE,
				   fail);
	case FIELD_PROTOCOL:
		return emit_protocol(assembler, predicate, family, fail);
	case FIELD_FRAGMENT:
		return emit_fragment(assembler, predicate, fail);
	case FIELD_SOURCE_PORT:
		return emit_range(assembler, predicate, BPF_H, PACKET_OFFSET(source_port), fail);
	case FIELD_DESTINATION_PORT:
		return emit_range(assembler, predicate, BPF_H, PACKET_OFFSET(destination_port),
				  fail);
	case FIELD_ICMP:
		return emit_range(assembler, predicate, BPF_H, PACKET_OFFSET(icmp), fail);
	case FIELD_TCP_FLAGS:
		return emit_tcp_flags(assembler, predicate, fail);
	case FIELD_TCP_OPTION:
		emit_tcp_option(assembler, predicate, fail);
		return PREDICATE_DEPENDS;
	case FIELD_TRANSPORT:
		emit_transport(assembler, predicate, fail);
		return PREDICATE_DEPENDS;
	case FIELD_NEVER:
	case FIELD_COUNT:
		break;
	}
	return PREDICATE_NEVER;
}
