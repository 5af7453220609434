/* SPDX-License-Identifier: GPL-2.0-only */
/* The hosts of a twin: namespaces, devices, addresses, and nothing that speaks unasked. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const place_names[PLACE_COUNT] = { "client", "router", "server" };

#define LARGE_MTU "9000" /* packets larger than a page, whose data are not linear */

/* Timers that would speak later are set to never, limits by time to none. */
static const char common_script[] =
	"set -e\n"
	"put() { [ ! -e /proc/sys/net/$1 ] || echo $2 >/proc/sys/net/$1; }\n"
	"for d in all default lo eth0 eth1; do\n"
	"  put ipv4/conf/$d/rp_filter $RP_FILTER\n"
	"  put ipv4/conf/$d/accept_local 1\n"
	"  put ipv4/conf/$d/send_redirects 0\n"
	"  put ipv4/conf/$d/accept_source_route 1\n"
	"  put ipv6/conf/$d/accept_ra 0\n"
	"  put ipv6/conf/$d/router_solicitations 0\n"
	"  put ipv6/conf/$d/accept_dad 0\n"
	"  put ipv6/conf/$d/mldv2_unsolicited_report_interval 10\n"
	"  put ipv6/conf/$d/addr_gen_mode 1\n"
	"done\n"
	"put ipv4/icmp_ratelimit 0\n"
	"put ipv6/icmp/ratelimit 0\n"
	"put ipv4/icmp_ratemask 0\n"
	"put ipv6/icmp/ratemask 255\n"
	"put ipv4/icmp_msgs_per_sec 1000000\n"
	"put ipv4/icmp_msgs_burst 1000000\n"
	"put ipv4/icmp_echo_ignore_broadcasts 0\n"
	"put ipv4/ipfrag_time 1000000\n"
	"put ipv6/ip6frag_time 1000000\n"
	"put ipv4/ipfrag_high_thresh 200000000\n"
	"put ipv6/ip6frag_high_thresh 200000000\n"
	"put ipv4/ipfrag_max_dist 0\n"
	"put netfilter/nf_conntrack_frag6_timeout 1000000\n"
	"put netfilter/nf_conntrack_frag6_high_thresh 200000000\n"
	"put ipv4/tcp_no_metrics_save 1\n"
	"put ipv4/tcp_invalid_ratelimit 0\n"
	"put ipv4/tcp_early_retrans 0\n"
	"ip link set lo up\n";

static const char router_script[] =
	"put ipv4/ip_forward 1\n"
	"put ipv6/conf/all/forwarding 1\n"
	"ip link set eth0 address 02:00:00:00:00:10 up\n"
	"ip link set eth1 address 02:00:00:00:00:11 group 3 up\n"
	"ip address add 10.91.1.254/24 dev eth0\n"
	"ip address add 10.91.2.254/24 dev eth1\n"
	"ip address add fd91:1::fe/64 dev eth0 nodad\n"
	"ip address add fd91:2::fe/64 dev eth1 nodad\n"
	"ip route add default via 10.91.1.1\n"
	"ip route add default via fd91:1::1\n"
	"for n in 1 2 3 4 5; do\n"
	"  ip neigh add 10.91.1.$n lladdr 02:00:00:00:00:01 nud permanent dev eth0\n"
	"  ip neigh add fd91:1::$n lladdr 02:00:00:00:00:01 nud permanent dev eth0\n"
	"done\n"
	"for n in 7 8 9; do\n"
	"  ip neigh add 10.91.2.$n lladdr 02:00:00:00:00:02 nud permanent dev eth1\n"
	"  ip neigh add fd91:2::$n lladdr 02:00:00:00:00:02 nud permanent dev eth1\n"
	"done\n";

static const char client_script[] =
	"ip link set eth0 address 02:00:00:00:00:01 up\n"
	"for n in 1 2 3; do\n"
	"  ip address add 10.91.1.$n/24 dev eth0\n"
	"  ip address add fd91:1::$n/64 dev eth0 nodad\n"
	"done\n"
	"ip neigh add 10.91.1.254 lladdr 02:00:00:00:00:10 nud permanent dev eth0\n"
	"ip neigh add fd91:1::fe lladdr 02:00:00:00:00:10 nud permanent dev eth0\n"
	"ip route add default via 10.91.1.254\n"
	"ip route add default via fd91:1::fe\n";

static const char server_script[] =
	"ip link set eth1 address 02:00:00:00:00:02 up\n"
	"for n in 7 8; do\n"
	"  ip address add 10.91.2.$n/24 dev eth1\n"
	"  ip address add fd91:2::$n/64 dev eth1 nodad\n"
	"done\n"
	"ip neigh add 10.91.2.254 lladdr 02:00:00:00:00:11 nud permanent dev eth1\n"
	"ip neigh add fd91:2::fe lladdr 02:00:00:00:00:11 nud permanent dev eth1\n"
	"ip route add default via 10.91.2.254\n"
	"ip route add default via fd91:2::fe\n";

/* Who masquerades only has no chain at PREROUTING, where iptables' nat table always has one. */
static const char masquerade_script[] =
	"nft -f - <<< 'table inet nat { chain leaving { type nat hook postrouting priority 100;"
	" oifname eth1 masquerade; }; }'\n";

static int netns_add(const char *full)
{
	const char *const argv[] = { "ip", "netns", "add", full, NULL };

	return command_run(-1, NULL, argv, NULL, NULL) ? -EINVAL : 0;
}

/* A wire to the router, made where there is no device of its name: kernels before 6.13 look for one
   in the maker's namespace. */
static int wire_make(const char *host, const char *router, const char *device, const char *mtu)
{
	const char *const argv[] = { "ip",   "-netns", host,   "link",	"add",	device,
				     "mtu",  mtu,      "type", "veth",	"peer", "name",
				     device, "mtu",    mtu,    "netns", router, NULL };

	return command_run(-1, NULL, argv, NULL, NULL) ? -EINVAL : 0;
}

static int wires_make(const struct twin *twin)
{
	const char *mtu = twin->scope->judge == JUDGE_XDP ? "1500" : LARGE_MTU;
	char full[PLACE_COUNT][64];
	int error = 0;

	for (int place = 0; place < PLACE_COUNT && !error; place++) {
		snprintf(full[place], sizeof(full[place]), "%s-%s", twin->name, place_names[place]);
		error = netns_add(full[place]);
	}
	if (!error)
		error = wire_make(full[PLACE_CLIENT], full[PLACE_ROUTER], "eth0", mtu);
	return error ? error : wire_make(full[PLACE_SERVER], full[PLACE_ROUTER], "eth1", "1500");
}

static int host_configure(const struct twin *twin, enum place place)
{
	static const char *const scripts[PLACE_COUNT] = { client_script, router_script,
							  server_script };
	bool masquerades = place == PLACE_ROUTER && twin->scope->variant == VARIANT_MASQUERADED;
	char full[64], *script;
	/* ip shows each namespace its own /proc/sys and /sys */
	const char *argv[] = { "ip", "netns", "exec", full, "bash", "-s", NULL };
	int error;

	snprintf(full, sizeof(full), "%s-%s", twin->name, place_names[place]);
	if (asprintf(&script, "RP_FILTER=%u\n%s%s%s",
		     place == PLACE_ROUTER ? twin->scope->rp_filter : 0, common_script,
		     scripts[place], masquerades ? masquerade_script : "") < 0)
		return -ENOMEM;
	error = command_run(-1, NULL, argv, script, NULL);
	free(script);
	return error ? -EINVAL : 0;
}

/* A namespace and its /proc/net/dev, which belongs to who opens it. */
static int host_open(struct twin *twin, enum place place)
{
	char path[128];
	int error;

	snprintf(path, sizeof(path), "/run/netns/%s-%s", twin->name, place_names[place]);
	twin->netns[place] = open(path, O_RDONLY | O_CLOEXEC);
	if (twin->netns[place] < 0)
		return -errno;
	error = place_enter(twin, place);
	if (error)
		return error;
	twin->traffic[place] = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	return twin->traffic[place] < 0 ? -errno : 0;
}

int twin_wire(struct twin *twin)
{
	int error = wires_make(twin);

	for (int place = 0; place < PLACE_COUNT && !error; place++)
		error = host_configure(twin, (enum place)place);
	for (int place = 0; place < PLACE_COUNT && !error; place++)
		error = host_open(twin, (enum place)place);
	return error;
}

void twin_unwire(struct twin *twin)
{
	for (int place = 0; place < PLACE_COUNT; place++) {
		char full[64];
		const char *argv[] = { "ip", "netns", "delete", full, NULL };

		if (twin->netns[place] >= 0)
			close(twin->netns[place]);
		if (twin->traffic[place] >= 0)
			close(twin->traffic[place]);
		snprintf(full, sizeof(full), "%s-%s", twin->name, place_names[place]);
		command_run(-1, NULL, argv, NULL, NULL);
	}
}
