/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the netfilter stage costs a packet, beside an empty program at the same hook: datagrams over
 * loopback, timed by the kernel's own statistics of programs, and by the sender's clock for the
 *whole way. BPF_PROG_TEST_RUN is no way: it hands netfilter programs no packet with an IP header.
 *
 *	netfilter_cost PACKETS		in the caller's network namespace, to 127.0.0.1:7009
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_NETFILTER ((enum bpf_prog_type)32)
#define ATTACH_NETFILTER  45u
#define IPV4		  2 /* NFPROTO_IPV4 */
#define LOCAL_IN	  1 /* NF_INET_LOCAL_IN */
#define PRIORITY	  (-50)
#define RUNS		  5

/* An empty program at the hook; the link ends with this process. */
static int attach_empty(void)
{
	static const struct bpf_insn accept[] = {
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)ATTACH_NETFILTER);
	int program = bpf_prog_load(PROGRAM_NETFILTER, "empty", "GPL", accept,
				    sizeof(accept) / sizeof(*accept), &options);
	const __s32 link[8] = { program, 0, ATTACH_NETFILTER, 0, IPV4, LOCAL_IN, PRIORITY, 0 };

	if (program < 0 || syscall(__NR_bpf, BPF_LINK_CREATE, link, sizeof(link)) < 0)
		return -errno;
	return program;
}

/* Nanoseconds a run of the program behind @fd since the last call for it. */
static double cost_since(int fd, __u64 last[2])
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	double runs, time;

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -1;
	runs = (double)(info.run_cnt - last[1]);
	time = (double)(info.run_time_ns - last[0]);
	last[0] = info.run_time_ns;
	last[1] = info.run_cnt;
	return runs > 0 ? time / runs : 0;
}

/* struct bpf_link_info of a netfilter link, as Linux 6.4 has it. */
struct link_info {
	__u32 type;
	__u32 id;
	__u32 program;
	__u32 reserved;
	__u32 family;
	__u32 hook;
	__s32 priority;
	__u32 flags;
};

#define LINK_NETFILTER 10

/* The program at the same hook that runs most: the dispatcher of the namespace that is measured. */
static int find_dispatcher(void)
{
	__u64 most = 0;
	int found = -1;

	for (__u32 id = 0; !bpf_link_get_next_id(id, &id);) {
		int link = bpf_link_get_fd_by_id(id), program;
		struct link_info info = {};
		struct bpf_prog_info runs = {};
		__u32 size = sizeof(info), runs_size = sizeof(runs);

		if (link < 0)
			continue;
		program = bpf_obj_get_info_by_fd(link, &info, &size) ||
					  info.type != LINK_NETFILTER || info.family != IPV4 ||
					  info.hook != LOCAL_IN || info.priority == PRIORITY
				  ? -1
				  : bpf_prog_get_fd_by_id(info.program);
		close(link);
		if (program >= 0 && !bpf_obj_get_info_by_fd(program, &runs, &runs_size) &&
		    runs.run_cnt > most) {
			close(found);
			found = program;
			most = runs.run_cnt;
		} else if (program >= 0) {
			close(program);
		}
	}
	return found;
}

static double nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The whole way of a datagram, sending and receiving it, in nanoseconds. */
static double send_all(int sender, unsigned packets)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(7009),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	double begin = nanoseconds();
	char bytes[32] = {};

	for (unsigned i = 0; i < packets; i++)
		(void)!sendto(sender, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to));
	return (nanoseconds() - begin) / packets;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double values[RUNS])
{
	qsort(values, RUNS, sizeof(*values), compare);
	return values[RUNS / 2];
}

int main(int argc, char **argv)
{
	unsigned packets = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct sockaddr_in own = { .sin_family = AF_INET,
				   .sin_port = htons(7009),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	double empty[RUNS], ours[RUNS], way[RUNS];
	__u64 last_empty[2] = {}, last_ours[2] = {};
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), receiver, program, dispatcher;

	receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!packets || sender < 0 || receiver < 0 ||
	    bind(receiver, (struct sockaddr *)&own, sizeof(own))) {
		fputs("usage: netfilter_cost PACKETS\n", stderr);
		return 2;
	}
	for (int i = 0; i < RUNS; i++) /* without statistics, which cost time */
		way[i] = send_all(sender, packets);
	program = attach_empty();
	if (program < 0 || bpf_enable_stats(BPF_STATS_RUN_TIME) < 0) {
		fprintf(stderr, "netfilter_cost: %s\n", strerror(errno));
		return 1;
	}
	send_all(sender, packets);
	dispatcher = find_dispatcher();
	cost_since(program, last_empty);
	cost_since(dispatcher, last_ours);
	for (int i = 0; i < RUNS; i++) {
		send_all(sender, packets);
		empty[i] = cost_since(program, last_empty);
		ours[i] = dispatcher < 0 ? 0 : cost_since(dispatcher, last_ours);
	}
	printf("%6.0f %6.0f %6.0f\n", median(way), median(empty), median(ours));
	return 0;
}
