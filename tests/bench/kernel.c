/* SPDX-License-Identifier: GPL-2.0-only */
/* iptables' own cost: live frames into the stack, with a table and without; the difference. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

#define FRAMES_COST 1e8 /* about 0.1 s of frames a run, in ns */

static int spawn(const char *const argv[], int input)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (child == 0) {
		if (input >= 0)
			dup2(input, 0);
		execvp(argv[0], (char **)argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

#define RUN(...) spawn((const char *const[]){ __VA_ARGS__, NULL }, -1)

int kernel_open(void)
{
	int error = RUN("ip", "link", "add", "ubpx-in", "address", "02:00:00:00:00:01", "type",
			"veth", "peer", "name", "ubpx-out");

	if (!error)
		error = RUN("ip", "link", "set", "ubpx-in", "up");
	if (!error)
		error = RUN("ip", "link", "set", "ubpx-out", "up");
	if (!error)
		error = RUN("ip", "link", "set", "lo", "address", "02:00:00:00:00:01", "up");
	if (!error) /* every address is this host's: all packets come to INPUT */
		error = RUN("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo");
	if (!error)
		error = RUN("ip", "address", "add", "192.0.2.1/24", "dev", "ubpx-in");
	return error ? error
		     : RUN("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
			   "net.ipv4.conf.ubpx-in.rp_filter=0",
			   "net.ipv4.conf.ubpx-in.accept_local=1");
}

/* ns a frame that the stack takes; 0: could not be run */
static double stack_cost(const struct bench_packet *packet, int frames)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, 2, NULL);
	unsigned char frame[64];
	struct xdp_md context = { .data_end = sizeof(frame),
				  .ingress_ifindex = if_nametoindex("ubpx-in") };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = frames,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
	double start, runs[BENCH_RUNS];

	bench_frame(packet, frame);
	for (int i = 0; i < BENCH_RUNS; i++) {
		start = bench_now();
		if (program < 0 || bpf_prog_test_run_opts(program, &options))
			return 0;
		runs[i] = (bench_now() - start) * 1e6 / frames;
	}
	close(program);
	return bench_median(runs, BENCH_RUNS);
}

static double restore(const char *command, const struct bench_rule *rules,
		      const struct bench_result *result)
{
	FILE *file = tmpfile();
	double start;
	int error;

	if (!file)
		return 0;
	bench_restore(rules, result->rules, file);
	rewind(file);
	start = bench_now();
	error = spawn((const char *const[]){ command, NULL }, fileno(file));
	fclose(file);
	return error ? 0 : bench_now() - start;
}

/* What all else costs is in `without`; a packet that is dropped spares some of it. */
static double table_cost(const struct bench_packet *packet, uint32_t rules, double each)
{
	double frames = FRAMES_COST / BENCH_RUNS / (500 + each * rules);

	return stack_cost(packet, frames < 64 ? 64 : (int)frames);
}

void kernel_measure(const struct bench_rule *rules, struct bench_result *result)
{
	struct bench_packet packet = bench_packet(&rules[result->rules - 1], 7);

	result->restore = restore("iptables-legacy-restore", rules, result);
	if (result->restore)
		result->legacy = table_cost(&packet, result->rules, 5);
	RUN("iptables-legacy", "-F");
	RUN("iptables-legacy", "-X");
	if (result->rules > 10000) /* minutes in user space */
		return;
	if (restore("iptables-nft-restore", rules, result))
		result->nft = table_cost(&packet, result->rules, 15);
	RUN("iptables-nft", "-F");
	RUN("iptables-nft", "-X");
}
