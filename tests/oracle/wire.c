/* SPDX-License-Identifier: GPL-2.0-only */
#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../support/headers.h"

/* Nothing but INPUT and FORWARD shall judge: no source validation, no answers worth waiting for. */
static const char *const commands[] = {
	"echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter",
	"echo 0 >/proc/sys/net/ipv4/conf/gin/rp_filter",
	"echo 1 >/proc/sys/net/ipv4/ip_forward",
	"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
	"ip link set lo up",
	"ip link set gin up && ip link set gout up",
	"ip address add 10.9.1.254/24 dev gin && ip address add 10.9.2.254/24 dev gout",
	"ip address add fd09:1::fe/64 dev gin nodad && ip address add fd09:2::fe/64 dev gout nodad",
	/* IPv6 takes them for its own a little later, by a worker of the kernel's */
	"for i in $(seq 1000); do"
	" [ $(ip -6 route show table local | grep -c '^local fd09:') = 2 ] && exit 0; sleep 0.01;"
	" done; exit 1",
};

static int open_device(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &request)) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int wire_make(struct wire *wire, struct message *message)
{
	wire->in = open_device("gin");
	wire->out = open_device("gout");
	if (wire->in < 0 || wire->out < 0)
		return message_set(message, wire->in < 0 ? wire->in : wire->out,
				   "cannot make a tun device");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (system(commands[i]))
			return message_set(message, -EIO, "failed: %s", commands[i]);
	return 0;
}

/* Options are looked at before INPUT and FORWARD; of these two kinds all are good. */
static bool options_are_plain(const struct raw_packet *packet)
{
	size_t header_size = (packet->data[0] & 15u) * 4;

	for (size_t i = 20; i < header_size && i < packet->size; i++)
		if (packet->data[i] > 1)
			return false;
	return true;
}

/* The same for hop-by-hop options; IPv6 has them looked at only where they come first. */
static bool hop_by_hop_is_plain(const struct raw_packet *packet)
{
	const unsigned char *header = packet->data + 40;

	if (packet->data[6] != IPPROTO_HOPOPTS)
		return true;
	return packet->size >= 48 && header[2] == HOP_BY_HOP_PLAIN &&
	       header[3] == header[1] * 8u + 4;
}

bool wire_takes(const struct raw_packet *packet, int family)
{
	const unsigned char *data = packet->data;

	if (packet->hook == HOOK_OUTPUT || packet->size < (family == 4 ? 20u : 40u) ||
	    data[0] >> 4 != family)
		return false;
	if (family == 6) /* no listener for multicast here */
		return data[24] != 0xff && hop_by_hop_is_plain(packet) &&
		       !ipv6_headers_overrun(data, packet->size);
	/* fragments for this host are put together first */
	return data[16] < 224 && options_are_plain(packet) &&
	       !(packet->hook == HOOK_INPUT && (data[6] & 0x3f || data[7]));
}
