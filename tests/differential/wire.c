/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending, and knowing that all has arrived: a *fence* is a frame of no protocol that the IP layer
 * knows. When one has come out at the end of a wire, so has all that was sent before.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FENCE_TYPE    0x88b5 /* IEEE 802: local experimental */
#define FENCE_SIZE    60
#define FENCE_TIMEOUT 10000 /* ms */
#define ROUNDS_MAX    1000
#define BATCH_MAX     64 /* frames, well below what a device's queue takes */

static const struct {
	enum place from;
	enum place to;
	const char *device;
} link_ends[LINKS] = {
	{ PLACE_CLIENT, PLACE_ROUTER, "eth0" }, { PLACE_ROUTER, PLACE_SERVER, "eth1" },
	{ PLACE_SERVER, PLACE_ROUTER, "eth1" }, { PLACE_ROUTER, PLACE_CLIENT, "eth0" },
	{ PLACE_ROUTER, PLACE_ROUTER, "lo" },
};
#define LINK_OF_CLIENT 0
#define LINK_OF_SERVER 2

/* --- sockets -------------------------------------------------------------------------------- */

static int packet_socket(const struct twin *twin, enum place place, const char *device,
			 uint16_t protocol)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	int error = place_enter(twin, place), fd;

	if (error)
		return error;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	address.sll_ifindex = (int)if_nametoindex(device);
	if (fd < 0 || !address.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return fd;
}

static int raw_socket(const struct twin *twin)
{
	int family = twin->scope->family == 4 ? AF_INET : AF_INET6, error, on = 1;
	int fd;

	error = place_enter(twin, PLACE_ROUTER);
	if (error)
		return error;
	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		return -errno;
	return fd;
}

int links_open(struct twin *twin)
{
	int on = 1;

	for (int i = 0; i < LINKS; i++) {
		struct link *link = &twin->links[i];

		link->sender = packet_socket(twin, link_ends[i].from, link_ends[i].device, 0);
		link->receiver =
			packet_socket(twin, link_ends[i].to, link_ends[i].device, FENCE_TYPE);
		if (link->sender < 0 || link->receiver < 0)
			return -EIO;
		if (setsockopt(link->sender, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
			return -errno;
	}
	twin->raw = raw_socket(twin);
	return twin->raw < 0 ? twin->raw : 0;
}

void links_close(struct twin *twin)
{
	for (int i = 0; i < LINKS; i++) {
		if (twin->links[i].sender >= 0)
			close(twin->links[i].sender);
		if (twin->links[i].receiver >= 0)
			close(twin->links[i].receiver);
	}
	if (twin->raw >= 0)
		close(twin->raw);
}

/* --- fences --------------------------------------------------------------------------------- */

static int fence_send(const struct link *link, uint64_t number)
{
	struct {
		struct virtio_net_hdr offload;
		unsigned char frame[FENCE_SIZE];
	} __attribute__((packed)) fence = {};
	uint16_t type = htons(FENCE_TYPE);

	memset(fence.frame, 0xff, 6);
	memcpy(fence.frame + 12, &type, 2);
	memcpy(fence.frame + ETH_HLEN, &number, sizeof(number));
	return send(link->sender, &fence, sizeof(fence), 0) == sizeof(fence) ? 0 : -errno;
}

static int fence_wait(const struct link *link, uint64_t number)
{
	struct pollfd poller = { .fd = link->receiver, .events = POLLIN };
	unsigned char frame[FENCE_SIZE + 4];
	uint64_t got = 0;

	while (got != number) {
		if (recv(link->receiver, frame, sizeof(frame), MSG_DONTWAIT) >= FENCE_SIZE)
			memcpy(&got, frame + ETH_HLEN, sizeof(got));
		else if (poll(&poller, 1, FENCE_TIMEOUT) != 1)
			return -ETIMEDOUT;
	}
	return 0;
}

/* A fence through each wire, in the order of a packet that goes through and is answered. */
static int fence_round(struct twin *twin)
{
	int error = 0;

	twin->fences++;
	for (int i = 0; i < LINKS && !error; i++) {
		error = fence_send(&twin->links[i], twin->fences);
		if (!error)
			error = fence_wait(&twin->links[i], twin->fences);
	}
	return error;
}

/* --- what devices count --------------------------------------------------------------------- */

struct device_traffic {
	uint64_t received[2]; /* frames, bytes */
	uint64_t sent[2];
};

static int device_traffic(int traffic, const char *name, struct device_traffic *counts)
{
	char text[4096], wanted[24];
	ssize_t size = pread(traffic, text, sizeof(text) - 1, 0);
	const char *line;

	if (size <= 0)
		return -EIO;
	text[size] = '\0';
	snprintf(wanted, sizeof(wanted), "%s:", name);
	line = strstr(text, wanted);
	if (!line || sscanf(line + strlen(wanted), "%lu %lu %*u %*u %*u %*u %*u %*u %lu %lu",
			    &counts->received[1], &counts->received[0], &counts->sent[1],
			    &counts->sent[0]) != 4)
		return -EIO;
	return 0;
}

int traffic_left(const struct twin *twin, unsigned side, uint64_t left[2])
{
	struct device_traffic counts;
	int error = device_traffic(twin->traffic[side ? PLACE_SERVER : PLACE_CLIENT],
				   side ? "eth1" : "eth0", &counts);

	if (error)
		return error;
	left[0] = counts.received[0] - twin->fences;
	left[1] = counts.received[1] - twin->fences * FENCE_SIZE;
	return 0;
}

/* Frames that went through the router's devices in either direction. */
static int router_frames(const struct twin *twin, uint64_t *frames)
{
	static const char *const devices[] = { "eth0", "eth1", "lo" };

	*frames = 0;
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		struct device_traffic counts;
		int error = device_traffic(twin->traffic[PLACE_ROUTER], devices[i], &counts);

		if (error)
			return error;
		*frames += counts.received[0] + counts.sent[0];
	}
	return 0;
}

int twin_settle(struct twin *twin)
{
	const uint64_t fences = 6; /* a round's, each counted where it is sent and received */
	uint64_t before, after;
	int error = router_frames(twin, &before);

	for (unsigned round = 0; !error && round < ROUNDS_MAX; round++) {
		error = fence_round(twin);
		if (!error)
			error = router_frames(twin, &after);
		if (!error && after - before == fences)
			return 0;
		before = after;
	}
	return error ? error : -ETIME;
}

/* --- bursts --------------------------------------------------------------------------------- */

static int frames_send(struct twin *twin, const struct burst *burst, unsigned from, unsigned count)
{
	struct mmsghdr messages[BURST_FRAMES];
	struct iovec parts[BURST_FRAMES][2];
	unsigned sent = 0;
	int fd = twin->links[burst->frames[from].origin == FROM_CLIENT ? LINK_OF_CLIENT
								       : LINK_OF_SERVER]
			 .sender;

	memset(messages, 0, sizeof(messages));
	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = &burst->frames[from + i];

		parts[i][0] = (struct iovec){ (void *)&frame->offload, sizeof(frame->offload) };
		parts[i][1] = (struct iovec){ (void *)(burst->bytes + frame->offset), frame->size };
		messages[i].msg_hdr.msg_iov = parts[i];
		messages[i].msg_hdr.msg_iovlen = 2;
	}
	while (sent < count) {
		int done = sendmmsg(fd, messages + sent, count - sent, 0);

		/* what the device does not take (too large, ...) it takes from neither twin */
		sent += done > 0 ? (unsigned)done : 1;
	}
	return 0;
}

/* The verdict of OUTPUT is the sender's error, where it is judged before the device. */
static void raw_send(struct twin *twin, const struct burst *burst, const struct frame *frame,
		     FILE *log)
{
	const unsigned char *packet = burst->bytes + frame->offset;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	bool ipv4 = twin->scope->family == 4;
	ssize_t sent;

	memcpy(&to4.sin_addr, packet + 16, 4);
	memcpy(&to6.sin6_addr, packet + 24, 16);
	sent = sendto(twin->raw, packet, frame->size, 0,
		      ipv4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6,
		      ipv4 ? sizeof(to4) : sizeof(to6));
	if (scope_is_exact(twin->scope))
		fprintf(log, "raw: %s\n", sent < 0 ? strerrorname_np(errno) : "sent");
}

int burst_send(struct twin *twin, const struct burst *burst, FILE *log)
{
	int error = 0;

	for (unsigned i = 0; i < burst->count && !error;) {
		unsigned count = 1;

		if (burst->frames[i].origin == FROM_ROUTER) {
			raw_send(twin, burst, &burst->frames[i++], log);
			continue;
		}
		while (i + count < burst->count &&
		       burst->frames[i + count].origin == burst->frames[i].origin)
			count++;
		error = frames_send(twin, burst, i, count);
		i += count;
	}
	return error;
}
