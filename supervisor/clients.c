/* SPDX-License-Identifier: GPL-2.0-only */
#include "clients.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "credentials.h"
#include "meeting.h"

#define CLIENTS_MAX	 256	   /* at once; more wait in the socket's backlog */
#define CLIENTS_PER_USER 16	   /* at once, of a user other than root */
#define HELLO_TIMEOUT	 3000	   /* ms from greeting to hello */
#define STALL_TIMEOUT	 10000	   /* ms without a byte in the middle of a frame */
#define IDLE_TIMEOUT	 60000	   /* ms between two requests */
#define PIPE_SIZE	 (1 << 20) /* for frames that do not fit the standard pipe */

enum client_state {
	CLIENT_GREETED, /* waits for the hello */
	CLIENT_HEADER,	/* reads a request's header, or waits for one */
	CLIENT_PAYLOAD, /* reads a request's payload */
	CLIENT_WAITING, /* the request is with the relay */
	CLIENT_REPLY,	/* writes the reply */
	CLIENT_LEAVING, /* to be released at the end of the current callback */
};

struct client {
	struct clients *clients;
	struct client *next;
	enum client_state state;
	struct credentials credentials;
	uid_t uid; /* of the connection */
	uint8_t nonce[16];
	int socket, request_pipe, reply_pipe;
	int netns_fd;
	uint64_t netns_inode;
	struct watch socket_watch, request_watch, reply_watch;
	struct timer timer;
	struct inflow in;
	struct request request;
	struct exchange *exchange; /* CLIENT_WAITING: the relay's; CLIENT_REPLY: ours */
	struct outflow out;
};

struct clients {
	struct loop *loop;
	const struct log *log;
	struct relay *relay;
	struct watch listener;
	int listen_fd;
	struct client *list;
	unsigned count;
};

static void watch_listener(struct clients *clients)
{
	bool room = clients->count < CLIENTS_MAX;

	if (clients->listen_fd < 0)
		return;
	if (!room)
		loop_unwatch(clients->loop, &clients->listener);
	else if (clients->listener.fd < 0)
		loop_watch(clients->loop, &clients->listener, clients->listen_fd, EPOLLIN);
}

static void client_free(struct client *client)
{
	struct clients *clients = client->clients;
	struct client **link = &clients->list;

	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	clients->count--;
	loop_disarm(clients->loop, &client->timer);
	loop_unwatch(clients->loop, &client->socket_watch);
	loop_unwatch(clients->loop, &client->request_watch);
	loop_unwatch(clients->loop, &client->reply_watch);
	if (client->exchange && client->state == CLIENT_WAITING)
		relay_abandon(clients->relay, client->exchange, TAKE_FD(client->netns_fd));
	else if (client->exchange)
		exchange_free(client->exchange);
	credentials_release(&client->credentials);
	cleanup_close(&client->socket);
	cleanup_close(&client->request_pipe);
	cleanup_close(&client->reply_pipe);
	cleanup_close(&client->netns_fd);
	inflow_reset(&client->in, 0);
	free(client);
	watch_listener(clients);
}

/* End a connection and say why. */
static void dismiss(struct client *client, int status)
{
	meeting_send(client->socket, MEETING_FAREWELL, status, NULL, NULL, 0);
	client_free(client);
}

static void refuse(struct client *client)
{
	log_line(client->clients->log, LOG_WARNING, "process %d of user %d refused: not permitted",
		 client->credentials.pid, (int)client->uid);
	dismiss(client, -EPERM);
}

static void client_expired(void *owner)
{
	struct client *client = owner;

	log_line(client->clients->log, LOG_INFO, "client %d let go: it went quiet",
		 client->credentials.pid);
	client_free(client);
}

/* Requests. */

static void expect_request(struct client *client)
{
	client->state = CLIENT_HEADER;
	inflow_reset(&client->in, sizeof(struct request));
	loop_arm(client->clients->loop, &client->timer, IDLE_TIMEOUT);
	loop_watch(client->clients->loop, &client->request_watch, client->request_pipe, EPOLLIN);
}

/* Send what the pipe takes now; the rest when it takes more. May release the client. */
static void send_some(struct client *client)
{
	struct loop *loop = client->clients->loop;
	int error = outflow_send(&client->out, client->reply_pipe);

	if (error == -EAGAIN) {
		loop_arm(loop, &client->timer, STALL_TIMEOUT);
		if (client->reply_watch.fd < 0)
			loop_watch(loop, &client->reply_watch, client->reply_pipe, EPOLLOUT);
		return;
	}
	loop_unwatch(loop, &client->reply_watch);
	exchange_free(TAKE_PTR(client->exchange));
	if (error)
		client_free(client);
	else
		expect_request(client);
}

static void reply_ready(void *owner, uint32_t events)
{
	(void)events;
	send_some(owner);
}

/* The relay's answer to this client's request. */
static void exchange_done(struct exchange *exchange)
{
	struct client *client = exchange->owner;

	client->state = CLIENT_REPLY;
	if (exchange->reply.status == -EAGAIN && !exchange->begun) {
		dismiss(client, -EAGAIN);
		return;
	}
	client->out = (struct outflow){ .parts = {
						{ .iov_base = &exchange->reply,
						  .iov_len = sizeof(exchange->reply) },
						{ .iov_base = exchange->output,
						  .iov_len = exchange->reply.len },
					} };
	if (exchange->reply.len > (64 << 10))
		fcntl(client->reply_pipe, F_SETPIPE_SZ, PIPE_SIZE);
	send_some(client);
}

/* What concerns all namespaces, or the supervisor itself, is for the administrator of the host. */
static bool permitted(const struct client *client)
{
	static const bool host_wide[] = {
		[CONTROL_STATUS] = true,
		[CONTROL_STOP] = true,
	};
	uint32_t cmd = client->request.cmd;

	if (client->request.kind != FRAME_CONTROL)
		return true;
	if (cmd == CONTROL_CONFIGURE)
		return false;
	return cmd >= ARRAY_SIZE(host_wide) || !host_wide[cmd] ||
	       credentials_over_us(&client->credentials);
}

static void request_complete(struct client *client)
{
	struct exchange *exchange;

	loop_disarm(client->clients->loop, &client->timer);
	loop_unwatch(client->clients->loop, &client->request_watch);
	if (!permitted(client)) {
		refuse(client);
		return;
	}
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange) {
		dismiss(client, -ENOMEM);
		return;
	}
	*exchange = (struct exchange){
		.request = client->request,
		.payload = TAKE_PTR(client->in.data),
		.done = exchange_done,
		.owner = client,
		.netns_fd = -1,
	};
	exchange->request.pid = (uint32_t)client->credentials.pid;
	exchange->request.netns_fd = client->netns_fd;
	exchange->request.netns_inode = client->netns_inode;
	inflow_reset(&client->in, 0);
	client->exchange = exchange;
	client->state = CLIENT_WAITING;
	relay_submit(client->clients->relay, exchange);
}

static void request_ready(void *owner, uint32_t events);

static void header_complete(struct client *client)
{
	int error;

	memcpy(&client->request, client->in.data, sizeof(client->request));
	error = request_check(&client->request);
	if (error) {
		log_line(client->clients->log, LOG_WARNING, "client %d: bad request: %s",
			 client->credentials.pid, strerror(-error));
		dismiss(client, error);
		return;
	}
	client->state = CLIENT_PAYLOAD;
	if (client->request.len > (64 << 10))
		fcntl(client->request_pipe, F_SETPIPE_SZ, PIPE_SIZE);
	inflow_reset(&client->in, client->request.len);
	/* The payload is here already as a rule; and if it is empty, nothing will announce it. */
	request_ready(client, EPOLLIN);
}

static void request_ready(void *owner, uint32_t events)
{
	struct client *client = owner;
	enum client_state state = client->state;
	int error = inflow_receive(&client->in, client->request_pipe);

	(void)events;
	if (!error && state == CLIENT_HEADER) {
		header_complete(client);
	} else if (!error) {
		request_complete(client);
	} else if (error == -EAGAIN) {
		loop_arm(client->clients->loop, &client->timer, STALL_TIMEOUT);
	} else if (error == -ENOMEM) {
		dismiss(client, -ENOMEM);
	} else {
		client_free(client);
	}
}

/* The meeting. */

static int accept_hello(struct client *client)
{
	struct meeting hello;
	_cleanup_close_ int netns_fd = -1;
	pid_t sender;
	int error = meeting_receive(client->socket, &hello, &netns_fd, 1, &sender);

	if (error)
		return error;
	if (hello.kind != MEETING_HELLO ||
	    memcmp(hello.nonce, client->nonce, sizeof(hello.nonce)) != 0 ||
	    sender != client->credentials.pid || !credentials_alive(&client->credentials))
		return -EPERM;
	if (netns_inode(netns_fd, &client->netns_inode) < 0 ||
	    !credentials_over_netns(&client->credentials, netns_fd))
		return -EPERM;
	client->netns_fd = TAKE_FD(netns_fd);
	return 0;
}

static void socket_ready(void *owner, uint32_t events)
{
	struct client *client = owner;
	int error;

	/* After the hello the socket only tells when the client leaves. */
	if (client->state != CLIENT_GREETED) {
		if (events & (EPOLLHUP | EPOLLERR))
			client_free(client);
		return;
	}
	error = accept_hello(client);
	if (error == -EAGAIN)
		return;
	if (error == -EPERM) {
		refuse(client);
	} else if (error) {
		client_free(client);
	} else {
		loop_watch(client->clients->loop, &client->socket_watch, client->socket, 0);
		expect_request(client);
	}
}

/* Greet: nonce and pipes. The supervisor makes the pipes, so the modes of its ends are its own. */
static int greet(struct client *client)
{
	int to_us[2], to_client[2], error;

	if (getrandom(client->nonce, sizeof(client->nonce), 0) != sizeof(client->nonce))
		return -EIO;
	if (pipe2(to_us, O_CLOEXEC) < 0)
		return -errno;
	client->request_pipe = to_us[0];
	if (pipe2(to_client, O_CLOEXEC) < 0) {
		error = -errno;
		close(to_us[1]);
		return error;
	}
	client->reply_pipe = to_client[1];
	if (fcntl(to_us[0], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(to_client[1], F_SETFL, O_NONBLOCK) < 0)
		error = -errno;
	else
		error = meeting_send(client->socket, MEETING_GREETING, 0, client->nonce,
				     (int[]){ to_us[1], to_client[0] }, 2);
	close(to_us[1]);
	close(to_client[0]);
	return error;
}

static bool user_has_room(const struct clients *clients, uid_t uid)
{
	unsigned same = 0;

	if (!uid)
		return true;
	for (const struct client *client = clients->list; client; client = client->next)
		same += client->uid == uid;
	return same <= CLIENTS_PER_USER;
}

static void welcome(struct client *client, const struct ucred *peer)
{
	int on = 1;
	int error;

	if (!user_has_room(client->clients, client->uid)) {
		dismiss(client, -EAGAIN);
		return;
	}
	/* From now on the kernel attests who sends what arrives here. */
	if (setsockopt(client->socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
		client_free(client);
		return;
	}
	if (credentials_read(&client->credentials, peer) < 0) {
		client->credentials.pid = peer->pid;
		refuse(client);
		return;
	}
	error = greet(client);
	if (!error)
		error = loop_watch(client->clients->loop, &client->socket_watch, client->socket,
				   EPOLLIN);
	if (error) {
		log_line(client->clients->log, LOG_ERR, "client %d cannot be served: %s", peer->pid,
			 strerror(-error));
		dismiss(client, error);
		return;
	}
	loop_arm(client->clients->loop, &client->timer, HELLO_TIMEOUT);
}

static void listener_ready(void *owner, uint32_t events)
{
	struct clients *clients = owner;
	_cleanup_close_ int socket = -1;
	struct ucred peer;
	socklen_t length = sizeof(peer);
	struct client *client;

	(void)events;
	socket = accept4(clients->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (socket < 0 || getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return;
	client = calloc(1, sizeof(*client));
	if (!client)
		return;
	*client = (struct client){
		.clients = clients,
		.next = clients->list,
		.state = CLIENT_GREETED,
		.credentials = { .pidfd = -1 },
		.uid = peer.uid,
		.socket = TAKE_FD(socket),
		.request_pipe = -1,
		.reply_pipe = -1,
		.netns_fd = -1,
		.socket_watch = { .fd = -1, .ready = socket_ready, .owner = client },
		.request_watch = { .fd = -1, .ready = request_ready, .owner = client },
		.reply_watch = { .fd = -1, .ready = reply_ready, .owner = client },
		.timer = { .expired = client_expired, .owner = client },
	};
	clients->list = client;
	clients->count++;
	watch_listener(clients);
	welcome(client, &peer);
}

int clients_open(struct clients **clients, struct loop *loop, const struct log *log,
		 struct relay *relay, int listen_fd)
{
	struct clients *new = calloc(1, sizeof(*new));
	int error;

	if (!new)
		return -ENOMEM;
	*new = (struct clients){
		.loop = loop,
		.log = log,
		.relay = relay,
		.listener = { .fd = -1, .ready = listener_ready, .owner = new },
		.listen_fd = listen_fd,
	};
	error = loop_watch(loop, &new->listener, listen_fd, EPOLLIN);
	if (error) {
		free(new);
		return error;
	}
	*clients = new;
	return 0;
}

void clients_drain(struct clients *clients)
{
	loop_unwatch(clients->loop, &clients->listener);
	cleanup_close(&clients->listen_fd);
	clients->listen_fd = -1;
}

bool clients_pending(const struct clients *clients)
{
	for (const struct client *client = clients->list; client; client = client->next)
		if (client->state == CLIENT_REPLY || client->state == CLIENT_WAITING)
			return true;
	return false;
}

void clients_close(struct clients *clients)
{
	clients_drain(clients);
	while (clients->list)
		dismiss(clients->list, -EAGAIN);
	free(clients);
}
