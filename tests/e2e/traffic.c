/* SPDX-License-Identifier: GPL-2.0-only */
/* Counted and bounded traffic for the tests: datagrams, connections, and who receives them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAMS_MAX 1000000
#define LIFETIME      120    /* s: nothing of a test lives longer */
#define PAUSE	      100000 /* ns between the datagrams of a stream: 10,000 a second at most */

static const char usage[] =
	"usage: traffic udp ADDRESS PORT COUNT [FROM]  send datagrams of 32 bytes (from a port), "
	"say "
	"how many went\n"
	"       traffic stream ADDRESS PORT         send them until SIGTERM, say how many\n"
	"       traffic train COUNT US PORT ADDRESS...  COUNT datagrams of different lengths to "
	"each,\n"
	"                                           one to all of them every US microseconds\n"
	"       traffic tcp ADDRESS PORT MS         connect: open, refused, timeout or an error\n"
	"       traffic sink PORT                   take both, say how many datagrams at SIGTERM\n";

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

static int parse_endpoint(const char *address, const char *port, struct endpoint *endpoint)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&endpoint->address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&endpoint->address;
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	memset(endpoint, 0, sizeof(*endpoint));
	if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = number;
		endpoint->length = sizeof(*ipv4);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) != 1)
		return -EINVAL;
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = number;
	endpoint->length = sizeof(*ipv6);
	return 0;
}

/* A socket to send datagrams from; @port: 0 for any; others may have the same. */
static int sending_socket(const struct endpoint *to, uint16_t port)
{
	int fd = socket(to->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct endpoint from = { .length = to->length };
	const int yes = 1;

	from.address.ss_family = to->address.ss_family;
	/* where it lies in both families */
	((struct sockaddr_in *)&from.address)->sin_port = htons(port);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&from.address, from.length) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Send until @count or the end; a refused one (EPERM, or ECONNREFUSED of one before) went too. */
static int send_datagrams(const struct endpoint *to, uint16_t from, unsigned long count, long pause)
{
	const struct timespec delay = { .tv_nsec = pause };
	int fd = sending_socket(to, from);
	unsigned long sent = 0;
	char data[32] = "ubpfilter";

	if (fd < 0)
		return 1;
	for (; sent < count && !ended; sent++) {
		while (sendto(fd, data, sizeof(data), 0, (const struct sockaddr *)&to->address,
			      to->length) < 0 &&
		       (errno == ENOBUFS || errno == EAGAIN || errno == ECONNREFUSED))
			;
		if (pause)
			nanosleep(&delay, NULL);
	}
	close(fd);
	printf("%lu\n", sent);
	return 0;
}

#define TRAIN_ENDS   8
#define TRAIN_LENGTH 200 /* bytes at most */

/* The same to all ends at nearly the same time, from the same port: connections from it that are
   still known are known to all. */
static int send_train(unsigned long count, long microseconds, const struct endpoint *ends,
		      size_t end_count)
{
	static const char data[TRAIN_LENGTH];
	int fds[TRAIN_ENDS];
	struct timespec next;

	for (size_t i = 0; i < end_count; i++) {
		fds[i] = sending_socket(&ends[i], (uint16_t)(40000 + getpid() % 20000));
		if (fds[i] < 0)
			return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned long sent = 0; sent < count && !ended; sent++) {
		for (size_t i = 0; i < end_count; i++)
			sendto(fds[i], data, sent * 37 % TRAIN_LENGTH, 0,
			       (const struct sockaddr *)&ends[i].address, ends[i].length);
		next.tv_nsec += microseconds * 1000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		if (microseconds)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return ended;
}

static int train(int argc, char **argv)
{
	struct endpoint ends[TRAIN_ENDS];
	size_t end_count = 0;

	for (int i = 3; i < argc; i++)
		if (end_count == TRAIN_ENDS || parse_endpoint(argv[i], argv[2], &ends[end_count++]))
			return 2;
	return send_train(strtoul(argv[0], NULL, 10), atol(argv[1]), ends, end_count);
}

/* One SYN, and no second one within a second. */
static int connect_once(const struct endpoint *to, int milliseconds)
{
	int fd = socket(to->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd waiting = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t length = sizeof(error);

	if (fd < 0)
		return 1;
	if (connect(fd, (const struct sockaddr *)&to->address, to->length) < 0 &&
	    errno != EINPROGRESS)
		error = errno;
	else if (poll(&waiting, 1, milliseconds) == 0)
		error = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	close(fd);
	printf("%s\n", !error		       ? "open"
		       : error == ECONNREFUSED ? "refused"
		       : error == ETIMEDOUT    ? "timeout"
					       : strerror(error));
	return 0;
}

static int bind_port(int type, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int off = 0, buffer = 8 << 20;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 8) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int take(uint16_t port)
{
	struct pollfd sockets[] = { { .fd = bind_port(SOCK_DGRAM, port), .events = POLLIN },
				    { .fd = bind_port(SOCK_STREAM, port), .events = POLLIN } };
	unsigned long datagrams = 0;
	char data[2048];

	if (sockets[0].fd < 0 || sockets[1].fd < 0) {
		fprintf(stderr, "traffic: port %u: %s\n", port, strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!ended) {
		int client;

		poll(sockets, 2, 50);
		while (recv(sockets[0].fd, data, sizeof(data), 0) >= 0)
			datagrams++;
		client = accept4(sockets[1].fd, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0)
			close(client);
	}
	while (recv(sockets[0].fd, data, sizeof(data), 0) >= 0)
		datagrams++;
	printf("%lu\n", datagrams);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct endpoint to;
	const char *what = argc > 1 ? argv[1] : "";

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(LIFETIME);
	if (argc == 3 && strcmp(what, "sink") == 0)
		return take((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc >= 6 && strcmp(what, "train") == 0)
		return train(argc - 2, argv + 2);
	if (argc >= 4 && parse_endpoint(argv[2], argv[3], &to) == 0) {
		if ((argc == 5 || argc == 6) && strcmp(what, "udp") == 0)
			return send_datagrams(&to, argc == 6 ? (uint16_t)atoi(argv[5]) : 0,
					      strtoul(argv[4], NULL, 10), 0);
		if (argc == 4 && strcmp(what, "stream") == 0)
			return send_datagrams(&to, 0, DATAGRAMS_MAX, PAUSE);
		if (argc == 5 && strcmp(what, "tcp") == 0)
			return connect_once(&to, atoi(argv[4]));
	}
	fputs(usage, stderr);
	return 2;
}
