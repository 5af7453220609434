/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#include "../../loader/loader.h"
#include "bench.h"

const unsigned char bench_address[6] = { 2, 0, 0, 0, 0, 1 };

/* What BPF_PROG_TEST_RUN says that frames come in by. */
#define LOOPBACK_IFINDEX 1

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void put16(unsigned char *at, uint16_t value)
{
	value = htons(value);
	memcpy(at, &value, sizeof(value));
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

void bench_frame(const struct bench_packet *packet, unsigned char frame[64])
{
	unsigned char *ip = frame + 14;
	uint32_t sum = 0;

	memset(frame, 0, 64);
	memcpy(frame, bench_address, 6);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, 50);
	ip[8] = 64;
	ip[9] = packet->protocol;
	put32(ip + 12, packet->source);
	put32(ip + 16, packet->destination);
	put16(ip + 20, packet->source_port);
	put16(ip + 22, packet->destination_port);
	if (packet->protocol == 6)
		ip[32] = 0x50;
	else
		put16(ip + 24, 30);
	for (int i = 0; i < 10; i++)
		sum += ip[2 * i] << 8 | ip[2 * i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static int program_of(const struct bpf_object *object)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, "xdp_ingress"));
}

/* As the loader keeps the maps: the device, and a packet's destination as this host's address. */
int bench_ground(const struct bpf_object *object, const struct bench_packet *packet)
{
	struct device device = { .name = "bench", .flags = DEVICE_ETHERNET };
	__be32 address[4] = { htonl(packet->destination) };
	union address_bucket bucket = { .ipv4 = { address[0] } };
	uint32_t ifindex = LOOPBACK_IFINDEX, hash = address_hash(address);

	memcpy(device.address, bench_address, sizeof(device.address));
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "devices"), &ifindex,
				&device, BPF_ANY))
		return -errno;
	return bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "local_addresses"),
				   &hash, &bucket, BPF_ANY)
		       ? -errno
		       : 0;
}

double bench_run(int program, const struct bench_packet *packet, int repeat)
{
	unsigned char frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = repeat);

	bench_frame(packet, frame);
	return bpf_prog_test_run_opts(program, &options) ? 0 : options.duration;
}

static double run(int program, const struct bench_packet *packet)
{
	double runs[BENCH_RUNS];

	for (int i = 0; i < BENCH_RUNS; i++)
		runs[i] = bench_run(program, packet, 100000);
	return bench_median(runs, BENCH_RUNS);
}

/* A packet of ours at this host. */
static double run_local(const struct bpf_object *object, const struct bench_packet *packet)
{
	return bench_ground(object, packet) ? 0 : run(program_of(object), packet);
}

double empty_program(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "empty", "GPL", code, 2, NULL);
	double cost = program < 0 ? 0 : run(program, &(struct bench_packet){ .protocol = 17 });

	if (program >= 0)
		close(program);
	return cost;
}

/* A table in memory to a loaded program, with the time that takes. */
static int load(const struct ir *ir, enum form form, struct bpf_object **loaded,
		struct bench_result *result)
{
	const struct compile_options options = { .stages = STAGE_BIT(STAGE_XDP), .form = form };
	struct object compiled = { 0 }, linked = { 0 };
	double start = bench_now(), built;
	int error = emit(ir, &options, "bench", &compiled, NULL);

	if (!error)
		error = link_object(&compiled, FAMILY_IPV4, options.stages, &linked, NULL);
	built = bench_now();
	if (!error) {
		*loaded = bpf_object__open_mem(linked.data, linked.size, NULL);
		error = *loaded ? bpf_object__load(*loaded) : -errno;
	}
	if (result) {
		result->build = built - start;
		result->load = bench_now() - built;
		result->bytes = (double)compiled.size / result->rules;
	}
	object_free(&compiled);
	object_free(&linked);
	return error;
}

static const struct bench_packet miss = { 0xdf010203, 0xdf030201, 7, 7, 17 };

static void measure_straight(const struct ir *ir, const struct bench_packet *last,
			     struct bench_result *result)
{
	struct bpf_object *object = NULL;

	if (!load(ir, FORM_STRAIGHT, &object, NULL))
		result->straight = run_local(object, last);
	bpf_object__close(object);
}

int ours_measure(const struct bench_rule *rules, struct bench_result *result)
{
	struct ir *ir = bench_table(rules, result->rules, result->chains);
	struct bench_packet packet = bench_packet(&rules[result->rules - 1], 7);
	static double trace[BENCH_TRACE];
	struct bpf_object *object = NULL;
	int error = load(ir, FORM_AUTO, &object, result);

	if (!error) {
		result->last = run_local(object, &packet);
		result->miss = run_local(object, &miss);
		for (uint32_t i = 0; i < BENCH_TRACE; i++) {
			uint32_t rule = (uint64_t)i * 2654435761u % result->rules;
			struct bench_packet hit = bench_packet(&rules[rule], i + 1);

			if (!bench_ground(object, &hit))
				trace[i] = bench_run(program_of(object), &hit, 20000);
		}
		result->trace = bench_median(trace, BENCH_TRACE);
	}
	bpf_object__close(object);
	if (!error && result->rules <= 1000)
		measure_straight(ir, &packet, result);
	ir_free(ir);
	return error;
}
