/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two routers in namespaces of their own, wired alike:
 *
 *	sender --- eth0 | router | eth1 --- sink
 *
 * one filtered by the kernel's iptables, one by ubpfilter. Both run a second table of the kernel's
 * own behind the filter (security), which counts what came through.
 */
#include "run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const twin_names[TWIN_COUNT] = { "kernel", "ours" };

#define ROUTER_MAC0 "02:00:00:00:00:10"
#define ROUTER_MAC1 "02:00:00:00:00:11"
#define SENDER_MAC  "02:00:00:00:00:01"
#define SINK_MAC    "02:00:00:00:00:02"

static int netns_fd(const char *prefix, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s-%s", prefix, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The child's side of a command: never returns. */
static void command_child(int netns, const char *const argv[], int input, int output)
{
	if (netns >= 0 && setns(netns, CLONE_NEWNET))
		_exit(125);
	if (dup2(input, 0) < 0 || dup2(output, 1) < 0)
		_exit(125);
	execvp(argv[0], (char *const *)argv);
	_exit(126);
}

static int memory_file(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	size_t size = text ? strlen(text) : 0;

	if (fd < 0)
		return -1;
	if ((size && write(fd, text, size) != (ssize_t)size) || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *read_all(int fd)
{
	char *text = NULL, chunk[65536];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ssize_t got;

	if (!out)
		return NULL;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		fwrite(chunk, 1, (size_t)got, out);
	fclose(out);
	return text;
}

static int command(int netns, const char *const argv[], const char *input, char **output)
{
	int in = memory_file(input), out[2], status;
	char *text;
	pid_t child;

	if (in < 0 || pipe2(out, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child == 0)
		command_child(netns, argv, in, out[1]);
	close(in);
	close(out[1]);
	text = read_all(out[0]);
	close(out[0]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -ECHILD;
	if (output)
		*output = text;
	else
		free(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int bench_command(struct bench *bench, enum twin twin, const char *const argv[], const char *input,
		  char **output)
{
	return command(bench->netns[twin], argv, input, output);
}

/* One namespace pair: `ip -batch` input. */
static char *wiring(const char *prefix, const char *twin)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "netns add %s-%s\n", prefix, twin);
	fprintf(out, "link add to-%s netns %s-peer type veth peer name eth0 netns %s-%s\n", twin,
		prefix, prefix, twin);
	fprintf(out, "link add sink-%s netns %s-peer type veth peer name eth1 netns %s-%s\n", twin,
		prefix, prefix, twin);
	fclose(out);
	return text;
}

static const char router_script[] =
	"set -e\n"
	"for d in all default; do\n"
	"  echo 0 >/proc/sys/net/ipv4/conf/$d/rp_filter\n"
	"  echo 1 >/proc/sys/net/ipv4/conf/$d/accept_local\n"
	"  echo 0 >/proc/sys/net/ipv4/conf/$d/send_redirects\n"
	"  echo 0 >/proc/sys/net/ipv6/conf/$d/accept_ra\n"
	"  echo 0 >/proc/sys/net/ipv6/conf/$d/router_solicitations\n"
	"  echo 0 >/proc/sys/net/ipv6/conf/$d/accept_dad\n"
	"  echo 1 >/proc/sys/net/ipv6/conf/$d/forwarding\n"
	"done\n"
	"echo 1 >/proc/sys/net/ipv4/ip_forward\n"
	"echo 0 >/proc/sys/net/ipv4/icmp_ratelimit\n"
	"echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts\n"
	"echo 0 >/proc/sys/net/ipv6/icmp/ratelimit\n"
	"echo 600 >/proc/sys/net/ipv4/ipfrag_time\n"
	"echo 600 >/proc/sys/net/ipv6/ip6frag_time\n"
	"for l in msgs_per_sec msgs_burst; do\n"
	"  [ ! -w /proc/sys/net/ipv4/icmp_$l ] || echo 1000000 >/proc/sys/net/ipv4/icmp_$l\n"
	"done\n"
	"for d in eth0 eth1; do\n"
	"  echo 1 >/proc/sys/net/ipv6/conf/$d/addr_gen_mode\n"
	"  echo 0 >/proc/sys/net/ipv4/conf/$d/rp_filter\n"
	"done\n"
	"ip link set lo up\n"
	"ip link set eth0 address " ROUTER_MAC0 " up\n"
	"ip link set eth1 address " ROUTER_MAC1 " up\n"
	"ip address add 10.91.1.254/24 dev eth0\n"
	"ip address add 10.91.2.254/24 dev eth1\n"
	"ip address add fd91:1::fe/64 dev eth0 nodad\n"
	"ip address add fd91:2::fe/64 dev eth1 nodad\n"
	"ip route add default via 10.91.1.1\n"
	"ip route add default via fd91:1::1\n"
	"for n in 1 2 3 4 5; do\n"
	"  ip neigh add 10.91.1.$n lladdr " SENDER_MAC " nud permanent dev eth0\n"
	"  ip neigh add fd91:1::$n lladdr " SENDER_MAC " nud permanent dev eth0\n"
	"done\n"
	"for n in 7 8 9; do\n"
	"  ip neigh add 10.91.2.$n lladdr " SINK_MAC " nud permanent dev eth1\n"
	"  ip neigh add fd91:2::$n lladdr " SINK_MAC " nud permanent dev eth1\n"
	"done\n"
	"for t in iptables-legacy ip6tables-legacy; do\n"
	"  for c in INPUT FORWARD; do\n"
	"    for p in tcp udp 58 1 47; do $t -t security -A $c -p $p; done\n"
	"  done\n"
	"done\n";

static const char peer_script[] = "set -e\n"
				  "for d in /sys/class/net/*; do d=${d##*/}\n"
				  "  case $d in to-*|sink-*) ;; *) continue ;; esac\n"
				  "  echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6\n"
				  "  ip link set $d arp off\n"
				  "  case $d in to-*) ip link set $d address " SENDER_MAC " up ;;\n"
				  "  *) ip link set $d address " SINK_MAC " up ;; esac\n"
				  "done\n";

static int run_script(const char *prefix, const char *name, const char *script)
{
	char full[64];
	const char *argv[] = { "ip", "netns", "exec", full, "bash", "-s", NULL };

	snprintf(full, sizeof(full), "%s-%s", prefix, name);
	return command(-1, argv, script, NULL);
}

static int open_frame_socket(int netns, const char *device, int *index)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };
	int fd;

	if (setns(netns, CLONE_NEWNET))
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	*index = (int)if_nametoindex(device);
	address.sll_ifindex = *index;
	if (fd < 0 || !*index || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return fd;
}

static int open_sockets(struct bench *bench, enum twin twin, int peer)
{
	char device[32];

	snprintf(device, sizeof(device), "to-%s", twin_names[twin]);
	bench->frames[twin] = open_frame_socket(peer, device, &bench->frame_index[twin]);
	if (bench->frames[twin] < 0 || setns(bench->netns[twin], CLONE_NEWNET))
		return -1;
	bench->raw[twin][0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	bench->raw[twin][1] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	return bench->raw[twin][0] < 0 || bench->raw[twin][1] < 0 ? -1 : 0;
}

static int open_all_sockets(struct bench *bench)
{
	int self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int error = 0;

	bench->peer = netns_fd(bench->name, "peer");
	for (int twin = 0; twin < TWIN_COUNT && !error; twin++) {
		bench->netns[twin] = netns_fd(bench->name, twin_names[twin]);
		error = open_sockets(bench, twin, bench->peer);
	}
	if (setns(self, CLONE_NEWNET))
		error = -1;
	close(self);
	return error;
}

/* Frames that left a router, as the other ends of its two links count them. */
static uint64_t frames_received(int netns_peer, const char *kind, const char *twin)
{
	const char *argv[] = { "cat", NULL, NULL };
	char path[128], *text = NULL;
	uint64_t frames = 0;

	snprintf(path, sizeof(path), "/proc/self/net/dev");
	argv[1] = path;
	if (!command(netns_peer, argv, NULL, &text) && text) {
		char device[32], *line;

		snprintf(device, sizeof(device), "%s-%s:", kind, twin);
		line = strstr(text, device);
		/* after the colon: bytes, packets */
		if (line)
			strtoull(line + strlen(device), &line, 10);
		if (line)
			frames = strtoull(line, NULL, 10);
	}
	free(text);
	return frames;
}

static uint64_t frames_left(const struct bench *bench, enum twin twin, unsigned device)
{
	return frames_received(bench->peer, device ? "sink" : "to", twin_names[twin]);
}

static uint64_t all_frames(const struct bench *bench)
{
	uint64_t frames = 0;

	for (int twin = 0; twin < TWIN_COUNT; twin++)
		for (unsigned device = 0; device < 2; device++)
			frames += frames_left(bench, twin, device);
	return frames;
}

/* New devices announce their multicast groups for a few seconds: wait until nothing is said. */
static void wait_for_silence(const struct bench *bench)
{
	uint64_t before, now = all_frames(bench);
	unsigned quiet = 0;

	for (unsigned tries = 0; quiet < 20 && tries < 100; tries++) {
		before = now;
		usleep(100000);
		now = all_frames(bench);
		quiet = now == before ? quiet + 1 : 0;
	}
}

int bench_open(struct bench *bench, const char *build)
{
	static const char *const batch[] = { "ip", "-batch", "-", NULL };
	char peer[64];

	memset(bench, 0, sizeof(*bench));
	bench->build = build;
	snprintf(bench->name, sizeof(bench->name), "ubp-diff-%d", (int)getpid());
	snprintf(peer, sizeof(peer), "netns add %s-peer\n", bench->name);
	if (command(-1, batch, peer, NULL))
		return -1;
	for (int twin = 0; twin < TWIN_COUNT; twin++) {
		char *lines = wiring(bench->name, twin_names[twin]);
		int error = !lines || command(-1, batch, lines, NULL);

		free(lines);
		if (error)
			return -1;
	}
	if (run_script(bench->name, "peer", peer_script))
		return -1;
	for (int twin = 0; twin < TWIN_COUNT; twin++)
		if (run_script(bench->name, twin_names[twin], router_script))
			return -1;
	if (open_all_sockets(bench))
		return -1;
	wait_for_silence(bench);
	return 0;
}

void bench_close(struct bench *bench)
{
	static const char *const names[] = { "kernel", "ours", "peer" };

	for (int i = 0; i < 3; i++) {
		char full[64];
		const char *argv[] = { "ip", "netns", "delete", full, NULL };

		snprintf(full, sizeof(full), "%s-%s", bench->name, names[i]);
		command(-1, argv, NULL, NULL);
	}
}

/* How a twin runs one of the iptables programs. */
static int bench_iptables(struct bench *bench, enum twin twin, const char *const arguments[],
			  const char *input, char **output)
{
	const char *argv[16];
	char path[4096];
	unsigned count = 0;

	if (twin == TWIN_UBPFILTER) {
		snprintf(path, sizeof(path), "%s/ubpfilter", bench->build);
		argv[count++] = path;
		argv[count++] = "exec";
		argv[count++] = "--";
	}
	while (*arguments)
		argv[count++] = *arguments++;
	argv[count] = NULL;
	return bench_command(bench, twin, argv, input, output);
}

int bench_restore(struct bench *bench, enum twin twin, int family, const char *text)
{
	const char *const arguments[] = { family == 4 ? "iptables-legacy-restore"
						      : "ip6tables-legacy-restore",
					  NULL };
	const char *const zero[] = { family == 4 ? "iptables-legacy" : "ip6tables-legacy", "-t",
				     "security", "-Z", NULL };
	int error = bench_iptables(bench, twin, arguments, text, NULL);

	for (unsigned device = 0; device < 2; device++)
		bench->left[twin][device] = frames_left(bench, twin, device);
	return error ? error : bench_command(bench, twin, zero, NULL, NULL);
}

static int send_frame(struct bench *bench, enum twin twin, int family,
		      const struct test_packet *packet)
{
	static const unsigned char to[6] = { 2, 0, 0, 0, 0, 0x10 }, from[6] = { 2, 0, 0, 0, 0, 1 };
	unsigned char frame[ETH_HLEN + PACKET_MAX];
	uint16_t type = htons(family == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	size_t size = ETH_HLEN + packet->size;

	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	memcpy(frame + 12, &type, 2);
	memcpy(frame + ETH_HLEN, packet->data, packet->size);
	return send(bench->frames[twin], frame, size, 0) == (ssize_t)size ? 0 : -errno;
}

/* A refused send (EPERM of a DROP) is a verdict, not an error: the counters tell. */
static int send_raw(struct bench *bench, enum twin twin, int family,
		    const struct test_packet *packet)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };

	memcpy(&to4.sin_addr, packet->data + 16, 4);
	memcpy(&to6.sin6_addr, packet->data + 24, 16);
	if (family == 4)
		(void)!sendto(bench->raw[twin][0], packet->data, packet->size, 0,
			      (struct sockaddr *)&to4, sizeof(to4));
	else
		(void)!sendto(bench->raw[twin][1], packet->data, packet->size, 0,
			      (struct sockaddr *)&to6, sizeof(to6));
	return 0;
}

int bench_send(struct bench *bench, enum twin twin, int family, const struct test_packet *packet)
{
	return packet->way == WAY_IN ? send_frame(bench, twin, family, packet)
				     : send_raw(bench, twin, family, packet);
}

/* iptables-save without its comment lines, which carry the time, and without the policy counter of
   OUTPUT behind the filter: TC egress drops later than that. What left is counted outside. */
static void drop_lines(char *text, const char *also)
{
	char *to = text;

	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		size_t size = (size_t)(end - line) + (*end == '\n');

		if (*line != '#' && !(also && !strncmp(line, also, strlen(also)))) {
			memmove(to, line, size);
			to += size;
		}
		line += size;
	}
	*to = '\0';
}

int bench_counters(struct bench *bench, enum twin twin, int family, char **text)
{
	const char *program = family == 4 ? "iptables-legacy-save" : "ip6tables-legacy-save";
	const char *const filter[] = { program, "-c", "-t", "filter", NULL };
	const char *const behind[] = { program, "-c", "-t", "security", NULL };
	char *first = NULL, *second = NULL;
	int error = bench_iptables(bench, twin, filter, NULL, &first);

	if (!error)
		error = bench_command(bench, twin, behind, NULL, &second);
	if (!error) {
		drop_lines(first, NULL);
		drop_lines(second, ":OUTPUT");
	}
	if (!error && asprintf(text, "%s%s%" PRIu64 " frames on eth0, %" PRIu64 " on eth1\n", first,
			       second, frames_left(bench, twin, 0) - bench->left[twin][0],
			       frames_left(bench, twin, 1) - bench->left[twin][1]) < 0)
		error = -ENOMEM;
	free(first);
	free(second);
	return error;
}
