/* SPDX-License-Identifier: GPL-2.0-only */
/* One frame or one IP packet, byte for byte as the command line has it. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_MAX 9000

static const char usage[] =
	"usage: frame DEVICE HEX       send a frame, from its Ethernet header on\n"
	"       frame ADDRESS HEX      send a packet, from its IP header on, by a raw socket\n";

struct bytes {
	unsigned char data[FRAME_MAX];
	size_t size;
};

static int parse_hex(const char *text, struct bytes *bytes)
{
	for (bytes->size = 0; *text; text += 2) {
		if (bytes->size == FRAME_MAX ||
		    sscanf(text, "%2hhx", &bytes->data[bytes->size]) != 1 || !text[1])
			return -EINVAL;
		bytes->size++;
	}
	return 0;
}

/* Return: a socket and where to send to, or -1 and errno. */
static int open_raw(const char *to, struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;
	struct sockaddr_ll *device = (struct sockaddr_ll *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, to, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		*length = sizeof(*ipv4);
		return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	}
	if (inet_pton(AF_INET6, to, &ipv6->sin6_addr) == 1) {
		ipv6->sin6_family = AF_INET6;
		*length = sizeof(*ipv6);
		return socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	}
	device->sll_family = AF_PACKET;
	device->sll_ifindex = (int)if_nametoindex(to);
	*length = sizeof(*device);
	return device->sll_ifindex ? socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) : -1;
}

int main(int argc, char *argv[])
{
	struct sockaddr_storage address;
	struct bytes bytes;
	socklen_t length;
	int fd;

	if (argc != 3 || parse_hex(argv[2], &bytes)) {
		fputs(usage, stderr);
		return 2;
	}
	fd = open_raw(argv[1], &address, &length);
	if (fd < 0 || sendto(fd, bytes.data, bytes.size, 0, (struct sockaddr *)&address, length) !=
			      (ssize_t)bytes.size) {
		fprintf(stderr, "frame: cannot send %zu bytes to %s: %m\n", bytes.size, argv[1]);
		return 1;
	}
	return 0;
}
