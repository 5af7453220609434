/* SPDX-License-Identifier: GPL-2.0-only */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../common/io.h"
#include "autostart.h"
#include "frame.h"
#include "meeting.h"
#include "rundir.h"

#define ATTEMPTS	 100
#define RETRY_PAUSE	 10000000 /* ns */
#define GREETING_TIMEOUT 30	  /* s */

/* Outcomes of one attempt besides 0 and errors that end the call. */
enum attempt {
	NOBODY_THERE = 1, /* no supervisor listens */
	NOT_BEGUN,	  /* it went away before it began the request */
	LOST,		  /* it went away, and nobody knows how far it was */
};

struct connection {
	int socket, request_pipe, reply_pipe;
};

static void cleanup_connection(struct connection *connection)
{
	cleanup_close(&connection->request_pipe);
	cleanup_close(&connection->reply_pipe);
	cleanup_close(&connection->socket);
}

const char *client_rundir(void)
{
	const char *path = getenv("UBPFILTER_RUNDIR");

	return path && *path ? path : RUNDIR_DEFAULT;
}

const char *client_config(void)
{
	const char *path = getenv("UBPFILTER_CONF");

	return path && *path ? path : CONF_DEFAULT;
}

static bool has_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	return syscall(SYS_capget, &header, data) == 0 && data[0].effective & (1u << CAP_NET_ADMIN);
}

static int connect_to(const char *rundir, int *connected, struct message *message)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const struct timeval timeout = { .tv_sec = GREETING_TIMEOUT };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET_NAME, rundir);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return message_set(message, -ENOPROTOOPT, "runtime folder %s: the path is too long",
				   rundir);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
			return NOBODY_THERE;
		if (errno == EACCES)
			return -EPERM;
		return message_set(message, -ENOPROTOOPT, "cannot reach ubpfilterd at %s: %s",
				   address.sun_path, strerror(errno));
	}
	*connected = TAKE_FD(fd);
	return 0;
}

static int farewell(int status)
{
	return status == -EAGAIN ? NOT_BEGUN : status;
}

/* Be greeted, say hello. */
static int meet(struct connection *connection, int netns_fd, struct message *message)
{
	struct meeting greeting;
	int pipes[2] = { -1, -1 };
	int error = meeting_receive(connection->socket, &greeting, pipes, 2, NULL);

	if (error == -EPIPE || error == -ECONNRESET)
		return NOT_BEGUN;
	if (error)
		return message_set(message, -ENOPROTOOPT, "ubpfilterd does not greet: %s",
				   error == -EAGAIN ? "time is up" : strerror(-error));
	if (greeting.kind == MEETING_FAREWELL)
		return farewell(greeting.status);
	connection->request_pipe = pipes[0];
	connection->reply_pipe = pipes[1];
	error = meeting_send(connection->socket, MEETING_HELLO, 0, greeting.nonce, &netns_fd, 1);
	/* Let go while the greeting was on its way: the farewell behind it says why. */
	return error == -EPIPE || error == -ECONNRESET ? NOT_BEGUN : error;
}

/* The connection ended without a reply. */
static int ended(const struct connection *connection)
{
	struct meeting last;
	int error = meeting_receive(connection->socket, &last, NULL, 0, NULL);

	if (!error && last.kind == MEETING_FAREWELL)
		return farewell(last.status);
	/* So ends a socket whose owner left something in it unread: our hello. */
	return error == -ECONNRESET ? NOT_BEGUN : LOST;
}

/* A write that may find the reader gone, in a program whose SIGPIPE is its own business. */
static int send_request(const struct connection *connection, struct outflow *flow)
{
	const struct timespec at_once = {};
	sigset_t pipe_signal, before, pending;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	error = outflow_send(flow, connection->request_pipe);
	if (error == -EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int receive_reply(const struct connection *connection, const struct request *request,
			 void **output, size_t *output_len, struct message *message)
{
	_cleanup_free_ char *payload = NULL;
	struct reply reply;
	size_t len;

	if (io_read(connection->reply_pipe, &reply, sizeof(reply)) < 0)
		return ended(connection);
	if (reply_check(&reply, request) < 0)
		return message_set(message, -EFAULT, "ubpfilterd sent a reply that is none");
	payload = malloc(reply.len ? reply.len : 1);
	if (!payload)
		return -ENOMEM;
	if (io_read(connection->reply_pipe, payload, reply.len) < 0)
		return LOST;
	len = reply.len - reply.message_len;
	if (reply.message_len)
		message_set(
			message, 0, "%.*s",
			(int)(reply.message_len < MESSAGE_SIZE ? reply.message_len : MESSAGE_SIZE),
			payload + len);
	*output_len = len;
	*output = len ? TAKE_PTR(payload) : NULL;
	return reply.status;
}

static int attempt(const struct client_request *call, int netns_fd, void **output,
		   size_t *output_len, struct message *message)
{
	struct connection connection __attribute__((cleanup(cleanup_connection))) = { -1, -1, -1 };
	struct request request = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.kind = (uint16_t)call->kind,
		.sequence = 1,
		.len = (uint32_t)call->len,
		.is_set = call->is_set,
		.cmd = call->cmd,
		.level = call->level,
		.netns_fd = -1,
	};
	struct outflow flow = { .parts = {
					{ .iov_base = &request, .iov_len = sizeof(request) },
					{ .iov_base = (void *)call->payload, .iov_len = call->len },
				} };
	int error = connect_to(client_rundir(), &connection.socket, message);

	if (!error)
		error = meet(&connection, netns_fd, message);
	if (!error)
		error = send_request(&connection, &flow);
	/* Refused before it was read: the farewell says why. */
	if (error == -EPIPE)
		error = ended(&connection);
	if (error)
		return error;
	return receive_reply(&connection, &request, output, output_len, message);
}

/* A control request that changes something. */
static bool is_action(const struct client_request *call)
{
	return call->kind == FRAME_CONTROL &&
	       (call->cmd == CONTROL_STOP || call->cmd == CONTROL_FLUSH);
}

/* What to do about an attempt that came to nothing; 0: try again. */
static int recover(const struct client_request *call, int outcome, struct message *message)
{
	const struct timespec pause = { .tv_nsec = RETRY_PAUSE };
	int error;

	switch (outcome) {
	case NOBODY_THERE:
		if (call->start == CLIENT_ATTACH)
			return message_set(message, -ENOTCONN, "ubpfilterd does not run");
		error = autostart(message);
		return error ? -ENOPROTOOPT : 0;
	case LOST:
		/* Nobody knows whether it took effect, and doing it twice may be wrong. */
		if (call->is_set || is_action(call))
			return message_set(message, -EFAULT,
					   "ubpfilterd ended during the request; whether it took "
					   "effect is not known");
		break;
	}
	nanosleep(&pause, NULL);
	return 0;
}

int client_call(const struct client_request *call, void **output, size_t *output_len,
		struct message *message)
{
	_cleanup_close_ int own = -1;
	struct message local = {};
	int netns_fd = call->netns_fd, error;

	message->text[0] = '\0';
	*output = NULL;
	*output_len = 0;
	if (call->len > FRAME_LENGTH_MAX)
		return -EMSGSIZE;
	if (!has_net_admin())
		return -EPERM;
	if (netns_fd < 0) {
		netns_fd = own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (own < 0)
			return -errno;
	}
	for (int i = 0; i < ATTEMPTS; i++) {
		error = attempt(call, netns_fd, output, output_len, &local);
		if (error > 0)
			error = recover(call, error, &local);
		else
			goto out;
		if (error)
			goto out;
	}
	error = message_set(&local, -ENOPROTOOPT, "ubpfilterd comes and goes; giving up");
out:
	*message = local;
	return error;
}
