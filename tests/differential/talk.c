/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets of the twin's hosts talk. Nothing waits for time to pass: what has not come when the
 * twin has settled does not come.
 */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define DATAGRAM_MAX 9000

/* Sockets of one exchange; -1: none. */
struct talk {
	struct twin *twin;
	const struct exchange *exchange;
	FILE *log;
	int speaker;
	int listeners[PLACE_COUNT]; /* at each host, wherever NAT may lead */
	int accepted;
};

/* Behind the early stages alone a dropped packet is lost on the wire: the sender is not told. */
static void note(struct talk *talk, const char *what, bool succeeded)
{
	int error = errno;

	if (!succeeded && error == EPERM && !scope_is_exact(talk->twin->scope))
		succeeded = true;
	fprintf(talk->log, " %s:%s", what, succeeded ? "ok" : strerrorname_np(error));
}

static void note_bytes(struct talk *talk, const char *what, ssize_t bytes)
{
	if (bytes < 0)
		note(talk, what, false);
	else
		fprintf(talk->log, " %s:%zd", what, bytes);
}

static int bound_socket(const struct talk *talk, enum place place, int type,
			const struct sockaddr_storage *address)
{
	int fd, on = 1;

	if (place_enter(talk->twin, place))
		return -1;
	fd = socket(address->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)address, talk->exchange->length)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void listeners_open(struct talk *talk, int type)
{
	struct sockaddr_storage any = {};
	const struct exchange *exchange = talk->exchange;

	any.ss_family = exchange->to.ss_family;
	((struct sockaddr_in *)&any)->sin_port =
		((const struct sockaddr_in *)&exchange->to)->sin_port;
	for (int place = 0; place < PLACE_COUNT; place++) {
		int fd = bound_socket(talk, (enum place)place, type, &any);

		if (fd >= 0 && type == SOCK_STREAM && listen(fd, 4)) {
			close(fd);
			fd = -1;
		}
		talk->listeners[place] = fd;
	}
}

static void talk_close(struct talk *talk)
{
	if (talk->speaker >= 0)
		close(talk->speaker);
	if (talk->accepted >= 0)
		close(talk->accepted);
	for (int place = 0; place < PLACE_COUNT; place++)
		if (talk->listeners[place] >= 0)
			close(talk->listeners[place]);
}

/* --- UDP ------------------------------------------------------------------------------------ */

static void udp_answer(struct talk *talk, unsigned char *data, enum place place)
{
	static const char *const names[PLACE_COUNT] = { "client", "router", "server" };
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t got = recvfrom(talk->listeners[place], data, DATAGRAM_MAX, 0,
			       (struct sockaddr *)&from, &length);

	if (got < 0)
		return;
	note_bytes(talk, names[place], got);
	if (talk->exchange->answered)
		note(talk, "answer",
		     sendto(talk->listeners[place], data, (size_t)got / 2 + 1, 0,
			    (struct sockaddr *)&from, length) >= 0);
}

/* What was learnt about a path would be kept, and tell one run from the next. */
static void no_path_mtu(int fd, int family)
{
	int ipv4 = IP_PMTUDISC_INTERFACE, ipv6 = IPV6_PMTUDISC_INTERFACE;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &ipv4, sizeof(ipv4));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &ipv6, sizeof(ipv6));
}

static int udp_talk(struct talk *talk)
{
	static _Thread_local unsigned char data[DATAGRAM_MAX];
	const struct exchange *exchange = talk->exchange;
	int error;

	no_path_mtu(talk->speaker, exchange->to.ss_family);
	note(talk, "connect",
	     !connect(talk->speaker, (const struct sockaddr *)&exchange->to, exchange->length));
	note(talk, "send", send(talk->speaker, data, exchange->size, 0) >= 0);
	error = twin_settle(talk->twin);
	for (int place = 0; place < PLACE_COUNT; place++)
		if (talk->listeners[place] >= 0)
			udp_answer(talk, data, (enum place)place);
	if (!error)
		error = twin_settle(talk->twin);
	note_bytes(talk, "heard", recv(talk->speaker, data, sizeof(data), 0));
	return error;
}

/* --- TCP ------------------------------------------------------------------------------------ */

/* Reset when closed: no state stays behind that speaks later. */
static void no_linger(int fd)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void tcp_accept(struct talk *talk)
{
	static const char *const names[PLACE_COUNT] = { "client", "router", "server" };

	for (int place = 0; place < PLACE_COUNT; place++) {
		int fd = talk->listeners[place] < 0 ? -1
						    : accept4(talk->listeners[place], NULL, NULL,
							      SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			continue;
		fprintf(talk->log, " accepted:%s", names[place]);
		no_linger(fd);
		talk->accepted = fd;
	}
}

static void tcp_note_state(struct talk *talk)
{
	struct tcp_info info = {};
	socklen_t length = sizeof(info);

	getsockopt(talk->speaker, IPPROTO_TCP, TCP_INFO, &info, &length);
	fprintf(talk->log, " state:%u", info.tcpi_state);
}

static int tcp_exchange_data(struct talk *talk, int from, int to, const char *what)
{
	char data[64] = {};
	int error;

	note(talk, what, send(from, data, 20, MSG_NOSIGNAL) >= 0);
	error = twin_settle(talk->twin);
	note_bytes(talk, "got", recv(to, data, sizeof(data), 0));
	return error;
}

static int tcp_talk(struct talk *talk)
{
	const struct exchange *exchange = talk->exchange;
	int error;

	no_linger(talk->speaker);
	note(talk, "connect",
	     !connect(talk->speaker, (const struct sockaddr *)&exchange->to, exchange->length));
	error = twin_settle(talk->twin);
	tcp_note_state(talk);
	tcp_accept(talk);
	if (talk->accepted < 0 || error)
		return error;
	error = tcp_exchange_data(talk, talk->speaker, talk->accepted, "ask");
	if (!error)
		error = tcp_exchange_data(talk, talk->accepted, talk->speaker, "answer");
	close(talk->speaker);
	talk->speaker = -1;
	return error ? error : twin_settle(talk->twin);
}

int exchange_do(struct twin *twin, const struct step *step, FILE *log)
{
	struct exchange exchange;
	struct talk talk = { .twin = twin, .exchange = &exchange, .log = log, .accepted = -1 };
	int type = step->kind == STEP_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int error = 0;

	exchange_make(&exchange, step, twin->scope);
	memset(talk.listeners, 0xff, sizeof(talk.listeners));
	talk.speaker = bound_socket(&talk, exchange.from, type, &exchange.source);
	if (exchange.listened)
		listeners_open(&talk, type);
	fputs(step->kind == STEP_UDP ? "udp:" : "tcp:", log);
	if (talk.speaker >= 0)
		error = step->kind == STEP_UDP ? udp_talk(&talk) : tcp_talk(&talk);
	fputs("\n", log);
	talk_close(&talk);
	return error ? error : twin_settle(twin);
}
