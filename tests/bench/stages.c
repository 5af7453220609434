/* SPDX-License-Identifier: GPL-2.0-only */
/* What each stage costs a packet with ten rules, beside an empty program of its kind. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "../../loader/loader.h"
#include "bench.h"

#define RULES 10

static const struct {
	enum stage stage;
	const char *program;
	unsigned accept; /* what an empty program returns */
} stages[] = {
	{ STAGE_XDP, "xdp_ingress", 2 /* XDP_PASS */ },
	{ STAGE_TC, "tc_ingress", 0 /* TC_ACT_OK */ },
};

static double run_median(int program, const struct bench_packet *packet)
{
	double runs[BENCH_RUNS];

	for (int i = 0; i < BENCH_RUNS; i++)
		runs[i] = bench_run(program, packet, 100000);
	return bench_median(runs, BENCH_RUNS);
}

/* An empty program of the type of @like. */
static double empty_cost(const struct bpf_program *like, unsigned accept,
			 const struct bench_packet *packet)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = (int)accept },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = bpf_program__expected_attach_type(like));
	_cleanup_close_ int program =
		bpf_prog_load(bpf_program__type(like), "empty", "GPL", code, 2, &options);

	return program < 0 ? 0 : run_median(program, packet);
}

static int object_open(const struct ir *ir, enum stage stage, enum form form,
		       struct bpf_object **object)
{
	const struct compile_options options = { .stages = STAGE_BIT(stage), .form = form };
	struct object compiled = { 0 }, linked = { 0 };
	int error = emit(ir, &options, "bench", &compiled, NULL);

	if (!error)
		error = link_object(&compiled, FAMILY_IPV4, options.stages, &linked, NULL);
	if (!error) {
		*object = bpf_object__open_mem(linked.data, linked.size, NULL);
		error = *object ? 0 : -errno;
	}
	if (!error)
		error = bpf_object__load(*object);
	object_free(&compiled);
	object_free(&linked);
	return error;
}

/* ns of the last rule, and of an empty program; 0: could not be run */
static double stage_cost(const struct ir *ir, size_t i, enum form form,
			 const struct bench_packet *packet, double *empty)
{
	struct bpf_object *object = NULL;
	double cost = 0;

	if (!object_open(ir, stages[i].stage, form, &object)) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(object, stages[i].program);

		bench_ground(object, packet);
		cost = run_median(bpf_program__fd(program), packet);
		*empty = empty_cost(program, stages[i].accept, packet);
	}
	bpf_object__close(object);
	return cost;
}

void stages_print(uint64_t seed)
{
	struct bench_rule *rules = bench_rules(SHAPE_ACL, RULES, seed);
	struct ir *ir = rules ? bench_table(rules, RULES, 0) : NULL;

	printf("%d rules, the last one, ns a packet\n%-9s %6s %8s %6s\n", RULES, "stage", "empty",
	       "straight", "trees");
	for (size_t i = 0; ir && i < ARRAY_SIZE(stages); i++) {
		struct bench_packet packet = bench_packet(&rules[RULES - 1], 7);
		double empty = 0;
		double straight = stage_cost(ir, i, FORM_STRAIGHT, &packet, &empty);
		double trees = stage_cost(ir, i, FORM_TREES, &packet, &empty);

		printf("%-9s %6.0f %8.0f %6.0f\n", stage_name(stages[i].stage), empty, straight,
		       trees);
	}
	ir_free(ir);
	free(rules);
}
