/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random tables and packets: the generated programs, run by the kernel, against the evaluator.
 * Verdicts and every counter must be the same. UBPFILTER_SEED repeats a run.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../../../loader/loader.h"
#include "../../../translator/evaluate.h"
#include "generated.h"

#define COMPARISONS	  50000u /* a family */
#define PACKETS_PER_TABLE 150u

/* Rules of a generated table at most, and CPUs that a counter is kept for. */
#define COUNTERS_MAX 64u
#define CPUS_MAX     256

/* One table, compiled, linked and loaded. */
struct loaded {
	struct ir *ir;
	struct bpf_object *object;
	int xdp, ingress, egress, counters;
	struct counter expected[COUNTERS_MAX];
};

/* Two devices in a namespace of our own. */
struct bench {
	unsigned in_index, out_index;
	int cpus;
	struct random random;
	uint64_t seed;
	unsigned comparisons;
	unsigned judged; /* of them: not discarded before any hook */
	unsigned dropped;
};

/* --- the namespace ---------------------------------------------------------------------------- */

/* What cannot be tested here must be tested where everything is made for testing. */
static void unavailable(const char *what)
{
	const char *ci = getenv("CI");

	if (ci && !strcmp(ci, "true"))
		cr_assert(false, "%s", what);
	cr_skip_test("%s", what);
}

static const char setup[] = "set -e\n"
			    "ip link set lo up\n"
			    "ip link add in0 address 02:00:00:00:00:01 type veth peer in1\n"
			    "ip link add out0 address 02:00:00:00:00:02 type veth peer out1\n"
			    "echo 1 >/proc/sys/net/ipv4/ip_forward\n"
			    "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n"
			    "ip link set in0 up\n"
			    "ip link set out0 up\n"
			    "ip address add 10.9.1.1/24 broadcast 10.9.1.255 dev in0\n"
			    "ip address add 10.9.2.1/24 dev out0\n"
			    "ip address add fd09:1::1/64 dev in0 nodad\n"
			    "ip address add fd09:2::1/64 dev out0 nodad\n";

static uint64_t pick_seed(void)
{
	const char *text = getenv("UBPFILTER_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 0;

	if (!seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		cr_assert(false, "getrandom");
	return seed ? seed : 1;
}

static void bench_open(struct bench *bench)
{
	if (geteuid())
		unavailable("not root");
	if (unshare(CLONE_NEWNET))
		unavailable("no network namespace of our own");
	cr_assert_eq(system(setup), 0, "cannot set the devices up");
	bench->in_index = if_nametoindex("in0");
	bench->out_index = if_nametoindex("out0");
	cr_assert(bench->in_index && bench->out_index);
	bench->cpus = libbpf_num_possible_cpus();
	cr_assert(bench->cpus > 0 && bench->cpus <= CPUS_MAX);
	bench->random.state = bench->seed = pick_seed();
	fprintf(stderr, "UBPFILTER_SEED=%#llx\n", (unsigned long long)bench->seed);
}

/* --- programs --------------------------------------------------------------------------------- */

static int print_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static int program_fd(const struct bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

static void add_device(const struct loaded *loaded, unsigned index, const char *name,
		       const char *address)
{
	struct device device = { .flags = DEVICE_ETHERNET };
	int map = bpf_object__find_map_fd_by_name(loaded->object, "devices");

	memcpy(device.name, name, strlen(name));
	memcpy(device.address, address, sizeof(device.address));
	cr_assert_eq(bpf_map_update_elem(map, &index, &device, BPF_ANY), 0);
}

static void load(struct bench *bench, struct loaded *loaded, uint8_t family)
{
	const struct compile_options options = { STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC) };
	struct object compiled, linked;
	struct message message = {};

	*loaded = (struct loaded){ .ir = table_make(family, &bench->random) };
	cr_assert(loaded->ir->rule_count <= COUNTERS_MAX);
	cr_assert_eq(emit(loaded->ir, &options, "test", &compiled, &message), 0, "%s",
		     message.text);
	cr_assert_eq(link_object(&compiled, family == 4 ? FAMILY_IPV4 : FAMILY_IPV6, options.stages,
				 &linked, &message),
		     0, "%s", message.text);
	object_free(&compiled);
	loaded->object = bpf_object__open_mem(linked.data, linked.size, NULL);
	cr_assert(loaded->object);
	if (bpf_object__load(loaded->object)) {
		table_print(loaded->ir);
		cr_assert(false, "the table does not load; seed %#llx",
			  (unsigned long long)bench->seed);
	}
	object_free(&linked);
	loaded->xdp = program_fd(loaded->object, "xdp_ingress");
	loaded->ingress = program_fd(loaded->object, "tc_ingress");
	loaded->egress = program_fd(loaded->object, "tc_egress");
	loaded->counters = bpf_object__find_map_fd_by_name(loaded->object, "counters");
	cr_assert(loaded->xdp >= 0 && loaded->ingress >= 0 && loaded->egress >= 0 &&
		  loaded->counters >= 0);
	add_device(loaded, bench->in_index, "in0", IN_ADDRESS);
	add_device(loaded, bench->out_index, "out0", OUT_ADDRESS);
}

static void unload(struct loaded *loaded)
{
	bpf_object__close(loaded->object);
	ir_free(loaded->ir);
}

/* All at once: a system call for each would take most of the test's time. */
static void read_counters(const struct bench *bench, const struct loaded *loaded,
			  struct counter *counters)
{
	static struct counter cpus[COUNTERS_MAX * CPUS_MAX];
	uint32_t keys[COUNTERS_MAX], batch, count = loaded->ir->rule_count;
	const struct counter *next = cpus;
	int error = bpf_map_lookup_batch(loaded->counters, NULL, &batch, keys, cpus, &count, NULL);

	cr_assert((error == 0 || error == -ENOENT) && count == loaded->ir->rule_count);
	for (uint32_t i = 0; i < count; i++) {
		counters[i] = (struct counter){};
		for (int cpu = 0; cpu < bench->cpus; cpu++, next++) {
			counters[i].packets += next->packets;
			counters[i].bytes += next->bytes;
		}
	}
}

/* --- runs ------------------------------------------------------------------------------------- */

static int test_run(int program, const struct frame *frame, void *context, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data,
		    .data_size_in = (__u32)frame->size, .ctx_in = context,
		    .ctx_size_in = (__u32)size, .repeat = 1);
	int error = bpf_prog_test_run_opts(program, &options);

	cr_assert_eq(error, 0, "BPF_PROG_TEST_RUN of %zu bytes: %s", frame->size, strerror(-error));
	return (int)options.retval;
}

static enum verdict run_xdp(const struct bench *bench, const struct loaded *loaded,
			    const struct frame *frame)
{
	struct xdp_md context = {
		.data_end = (__u32)frame->size,
		.ingress_ifindex = bench->in_index,
	};

	return test_run(loaded->xdp, frame, &context, sizeof(context)) == XDP_PASS ? VERDICT_ACCEPT
										   : VERDICT_DROP;
}

static enum verdict run_tc(const struct bench *bench, const struct loaded *loaded,
			   const struct frame *frame)
{
	bool out = frame->hook == HOOK_OUTPUT;
	struct __sk_buff context = { .ifindex = out ? bench->out_index : bench->in_index };

	return test_run(out ? loaded->egress : loaded->ingress, frame, &context, sizeof(context)) ==
			       TC_ACT_UNSPEC
		       ? VERDICT_ACCEPT
		       : VERDICT_DROP;
}

static void print_frame(const struct frame *frame)
{
	for (size_t i = 14; i < frame->size; i++)
		printf("%02x%s", frame->data[i], (i - 13) % 32 ? " " : "\n");
	putchar('\n');
}

static void check(struct bench *bench, struct loaded *loaded, const struct frame *frame,
		  const char *program, enum verdict expected, enum verdict verdict)
{
	struct counter counters[COUNTERS_MAX];
	bool good = verdict == expected;

	bench->comparisons++;
	read_counters(bench, loaded, counters);
	for (uint32_t i = 0; i < loaded->ir->rule_count; i++) {
		const struct counter *expect = &loaded->expected[i];

		if (!memcmp(&counters[i], expect, sizeof(*expect)))
			continue;
		printf("rule %u: %llu packets, %llu bytes, not %llu, %llu\n", i,
		       counters[i].packets, counters[i].bytes, expect->packets, expect->bytes);
		good = false;
	}
	if (good)
		return;
	table_print(loaded->ir);
	printf("%s, hook %d:\n", program, frame->hook);
	print_frame(frame);
	fflush(stdout);
	cr_assert(false, "%s: verdict %d, not %d; UBPFILTER_SEED=%#llx", program, verdict, expected,
		  (unsigned long long)bench->seed);
}

/* The verdict that is due; what is due to be counted is added up. */
static enum verdict evaluate_frame(struct bench *bench, struct loaded *loaded,
				   const struct frame *frame)
{
	struct evaluation_input input = {
		.hook = frame->hook,
		.data = frame->data + 14,
		.size = frame->size - 14,
	};
	int verdict;

	if (frame->hook != HOOK_OUTPUT)
		strcpy(input.in_name, "in0");
	if (frame->hook != HOOK_INPUT)
		strcpy(input.out_name, "out0");
	verdict = evaluate(loaded->ir, &input, loaded->expected);
	bench->judged += verdict >= 0;
	bench->dropped += verdict == VERDICT_DROP;
	/* the IP layer will see to what it discards */
	return verdict < 0 ? VERDICT_ACCEPT : (enum verdict)verdict;
}

static void compare(struct bench *bench, struct loaded *loaded, const struct frame *frame)
{
	if (frame->hook != HOOK_OUTPUT) {
		enum verdict expected = evaluate_frame(bench, loaded, frame);

		check(bench, loaded, frame, "xdp_ingress", expected, run_xdp(bench, loaded, frame));
	}
	/* the kernel's test run makes no skb without a whole IP header */
	if (frame->size < 14 + (loaded->ir->family == 4 ? 20 : 40))
		return;
	check(bench, loaded, frame, frame->hook == HOOK_OUTPUT ? "tc_egress" : "tc_ingress",
	      evaluate_frame(bench, loaded, frame), run_tc(bench, loaded, frame));
}

static void compare_family(uint8_t family)
{
	struct bench bench = {};
	struct loaded loaded;
	struct frame frame;

	libbpf_set_print(print_warning);
	bench_open(&bench);
	while (bench.comparisons < COMPARISONS) {
		load(&bench, &loaded, family);
		for (unsigned i = 0; i < PACKETS_PER_TABLE; i++) {
			frame_make(&frame, family, &bench.random);
			compare(&bench, &loaded, &frame);
		}
		unload(&loaded);
	}
	fprintf(stderr, "IPv%u: %u comparisons, %u judged, %u dropped\n", family, bench.comparisons,
		bench.judged, bench.dropped);
	/* a test in which packets and rules do not meet says nothing */
	cr_assert(bench.judged > bench.comparisons / 2 && bench.dropped > bench.comparisons / 10);
}

Test(generated, ipv4_programs_do_what_the_evaluator_does)
{
	compare_family(4);
}

Test(generated, ipv6_programs_do_what_the_evaluator_does)
{
	compare_family(6);
}
