/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle: the loop, the comparison and the report. See oracle.h. */
#include "oracle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../iptables-compat/text.h"
#include "../../translator/compile.h"
#include "../support/kernel.h"

#define PACKETS_PER_TABLE 200

struct run {
	struct random random;
	struct wire wire;
	int socket;
	struct table *table;
	struct ir *ir;
	struct counter *expected; /* owned, one a rule, since the table was set */
	uint64_t comparisons;
	uint64_t verdicts[3]; /* of the evaluator: drop, accept, discarded before the hook */
	struct message message;
};

/* --- the kernel's side ----------------------------------------------------------------------- */

static int set_rules(struct run *run, const char *rules, enum family family)
{
	/* a protocol that never ends an IPv6 header chain is worth a warning to it, and a test to
	 * us */
	const char *restore[] = { "sh", "-c",
				  family == FAMILY_IPV4
					  ? "exec iptables-legacy-restore 2>/dev/null"
					  : "exec ip6tables-legacy-restore 2>/dev/null",
				  NULL };
	_cleanup_free_ void *blob = NULL;
	uint32_t num_counters;
	size_t size;
	int error = kernel_run(restore, rules, NULL);

	if (error)
		return message_set(&run->message, error < 0 ? error : -EINVAL,
				   "the stock restore does not take the rules:\n%s", rules);
	error = kernel_table(family, &blob, &size);
	if (error)
		return message_set(&run->message, error, "cannot read the kernel's table");
	return table_decode(family, blob, size, &run->table, &num_counters, &run->message);
}

/* The kernel's entries, in the layout of both families alike. */
static int get_entries(struct run *run, struct ipt_get_entries **entries)
{
	size_t size = sizeof(**entries) + run->table->size;
	_cleanup_free_ struct ipt_get_entries *got = calloc(1, size);
	int error;

	if (!got)
		return -ENOMEM;
	strcpy(got->name, "filter");
	got->size = run->table->size;
	error = kernel_get(run->socket, run->table->family, IPT_SO_GET_ENTRIES, got, &size);
	if (!error)
		*entries = TAKE_PTR(got);
	return error;
}

static struct counter counter_at(const struct run *run, const struct ipt_get_entries *entries,
				 uint32_t index)
{
	size_t offset = run->table->family == FAMILY_IPV4 ? offsetof(struct ipt_entry, counters)
							  : offsetof(struct ip6t_entry, counters);
	struct xt_counters counters;

	memcpy(&counters,
	       (const unsigned char *)entries->entrytable + run->table->offsets[index] + offset,
	       sizeof(counters));
	return (struct counter){ counters.pcnt, counters.bcnt };
}

/* --- the comparison -------------------------------------------------------------------------- */

/* OUTPUT sees the kernel's own answers, which the evaluator does not know of. */
static bool is_compared(const struct ir *ir, uint32_t index)
{
	return index < ir->hook_entry[HOOK_OUTPUT] || index > ir->underflow[HOOK_OUTPUT];
}

static void report(const struct run *run, const struct ipt_get_entries *entries,
		   const struct raw_packet *packet)
{
	printf("oracle: a difference after %" PRIu64 " packets\n", run->comparisons);
	for (uint32_t i = 0; i < run->ir->rule_count; i++) {
		struct counter theirs = counter_at(run, entries, i);
		_cleanup_free_ char *text = NULL;

		if (rule_text(run->table, i, &text))
			text = NULL;
		printf("%c %-70s kernel %" PRIu64 ":%" PRIu64 ", evaluator %" PRIu64 ":%" PRIu64
		       "\n",
		       theirs.packets == run->expected[i].packets ? ' ' : '*', text ? text : "?",
		       (uint64_t)theirs.packets, (uint64_t)theirs.bytes,
		       (uint64_t)run->expected[i].packets, (uint64_t)run->expected[i].bytes);
	}
	packet_print(packet);
}

/* Return: 0 the same, 1 different, or -errno. */
static int compare_counters(struct run *run, const struct raw_packet *packet)
{
	_cleanup_free_ struct ipt_get_entries *entries = NULL;
	int error = get_entries(run, &entries);

	if (error)
		return message_set(&run->message, error, "cannot read the kernel's counters");
	for (uint32_t i = 0; i < run->ir->rule_count; i++) {
		struct counter theirs = counter_at(run, entries, i);

		if (!is_compared(run->ir, i) || !memcmp(&theirs, &run->expected[i], sizeof(theirs)))
			continue;
		report(run, entries, packet);
		return 1;
	}
	return 0;
}

/* What the kernel forwarded waits in the device's queue; nobody wants it. */
static void drain(int fd)
{
	unsigned char waste[2048];

	while (read(fd, waste, sizeof(waste)) > 0)
		;
}

static int compare_packet(struct run *run)
{
	struct evaluation_input input = { .in_name = "gin" };
	struct raw_packet packet;
	int verdict;

	do {
		packet_make(&packet, &run->random, run->ir->family);
	} while (!wire_takes(&packet, run->ir->family));
	input.hook = packet.hook;
	input.data = packet.data;
	input.size = packet.size;
	if (packet.hook == HOOK_FORWARD)
		strcpy(input.out_name, "gout");
	verdict = evaluate(run->ir, &input, NULL, run->expected);
	if (verdict < 0 && verdict != -EINVAL)
		return verdict;
	run->verdicts[verdict < 0 ? 2 : verdict]++;
	/* the kernel takes the packet all the way before write() returns */
	if (write(run->wire.in, packet.data, packet.size) < 0)
		return message_set(&run->message, -errno, "cannot send a packet: %m");
	drain(run->wire.in);
	drain(run->wire.out);
	run->comparisons++;
	return compare_counters(run, &packet);
}

static int compare_table(struct run *run, enum family family)
{
	_cleanup_free_ char *rules = rules_make(&run->random, (int)family);
	int error = rules ? set_rules(run, rules, family) : -ENOMEM;

	if (!error)
		error = lower(run->table, &run->ir, &run->message);
	if (!error) {
		run->expected = calloc(run->ir->rule_count, sizeof(*run->expected));
		error = run->expected ? 0 : -ENOMEM;
	}
	for (unsigned i = 0; !error && i < PACKETS_PER_TABLE; i++)
		error = compare_packet(run);
	free(run->expected);
	ir_free(run->ir);
	table_free(run->table);
	run->expected = NULL;
	run->ir = NULL;
	run->table = NULL;
	return error;
}

static int compare_all(struct run *run, uint64_t count)
{
	const int sockets[] = { kernel_socket(FAMILY_IPV4), kernel_socket(FAMILY_IPV6) };
	int error = wire_make(&run->wire, &run->message);

	if (sockets[0] < 0 || sockets[1] < 0)
		return message_set(&run->message, -EPERM, "cannot make a raw socket");
	for (unsigned turn = 0; !error && run->comparisons < count; turn ^= 1) {
		run->socket = sockets[turn];
		error = compare_table(run, turn ? FAMILY_IPV6 : FAMILY_IPV4);
	}
	return error;
}

int main(void)
{
	uint64_t seed = setting("UBPFILTER_SEED", (uint64_t)time(NULL));
	uint64_t count = setting("UBPFILTER_COMPARISONS", 40000);
	struct run run = { .random.state = seed ^ UINT64_C(0x9e3779b97f4a7c15) };
	int error = kernel_enter();

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (error && !kernel_required()) {
		printf("oracle: no network namespace or no legacy iptables: %s\n"
		       "0 passed, 0 failed, 1 skipped\n",
		       strerror(-error));
		return 0;
	}
	printf("oracle: UBPFILTER_SEED=%" PRIu64 "\n", seed);
	if (!run.random.state)
		run.random.state = 1;
	if (!error)
		error = compare_all(&run, count);
	if (!error) {
		printf("oracle: %" PRIu64 " packets, every counter as the kernel's (%" PRIu64
		       " dropped, %" PRIu64 " accepted, %" PRIu64 " discarded before the hook)\n",
		       run.comparisons, run.verdicts[0], run.verdicts[1], run.verdicts[2]);
		return 0;
	}
	if (error < 0)
		printf("oracle: %s\n", run.message.text[0] ? run.message.text : strerror(-error));
	return 1;
}
