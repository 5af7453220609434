/* SPDX-License-Identifier: GPL-2.0-only */
#include "relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../common/message.h"
#include "driver_log.h"

#define HEALTH_TIMEOUT 5000  /* ms from exec to the first reply */
#define BACKOFF_FIRST  100   /* ms after a failed start; doubles */
#define BACKOFF_LAST   30000 /* ms */
#define STEADY	       60000 /* ms without a loss after which the next one restarts at once */

enum relay_state {
	RELAY_DOWN,	 /* no driver */
	RELAY_HEALTH,	 /* started; its health check is under way */
	RELAY_CONFIGURE, /* healthy; reads its configuration, adopts what is in force */
	RELAY_IDLE,
	RELAY_BUSY, /* `current` is in flight */
};

struct relay {
	struct loop *loop;
	const struct log *log;
	struct driver *driver;
	struct relay_options options;
	enum relay_state state;
	bool draining;
	struct exchange *queue;	  /* first come, first served */
	struct exchange *current; /* RELAY_BUSY: the one in flight */
	/* The frame in flight and the reply to it. */
	uint64_t sequence;
	struct request request;
	struct outflow out;
	struct reply reply;
	size_t reply_got;
	struct inflow in;
	struct watch to, from, process;
	struct driver_log driver_log;
	struct timer timeout, restart;
	/* Back-off: starts that failed and drivers lost while idle, without a steady time between.
	 */
	unsigned losses;
	uint64_t last_loss;
	uint64_t not_before; /* no start before this */
};

static void pump(struct relay *relay);

void exchange_free(struct exchange *exchange)
{
	cleanup_close(&exchange->netns_fd);
	free(exchange->payload);
	free(exchange->output);
	free(exchange);
}

static void exchange_end(struct exchange *exchange)
{
	if (exchange->done)
		exchange->done(exchange);
	else
		exchange_free(exchange);
}

/* End an exchange without the driver: status and one line of output or, on failure, message. */
static void exchange_refuse(struct exchange *exchange, int status, const char *line)
{
	uint32_t len = (uint32_t)strlen(line);

	exchange->output = (unsigned char *)strdup(line);
	if (!exchange->output)
		len = 0;
	exchange->reply = reply_to(&exchange->request, status, len, status ? len : 0);
	exchange_end(exchange);
}

static struct exchange *queue_take(struct relay *relay)
{
	struct exchange *first = relay->queue;

	relay->queue = first->next;
	first->next = NULL;
	return first;
}

static bool is_stop(const struct exchange *exchange)
{
	return exchange->request.kind == FRAME_CONTROL && exchange->request.cmd == CONTROL_STOP;
}

/* All that wait for the driver; a stop does not. */
static void refuse_waiting(struct relay *relay, int status, const char *line)
{
	struct exchange *waiting = TAKE_PTR(relay->queue), **kept = &relay->queue;

	while (waiting) {
		struct exchange *exchange = waiting;

		waiting = TAKE_PTR(exchange->next);
		if (is_stop(exchange)) {
			*kept = exchange;
			kept = &exchange->next;
		} else {
			exchange_refuse(exchange, status, line);
		}
	}
}

/* The driver: start, loss, back-off. */

/* Return: bytes that it never read; -1: not known. */
static int driver_clean_up(struct relay *relay, const char *reason)
{
	pid_t pid = relay->driver->pid;
	struct driver_end end;

	loop_disarm(relay->loop, &relay->timeout);
	loop_unwatch(relay->loop, &relay->to);
	loop_unwatch(relay->loop, &relay->from);
	loop_unwatch(relay->loop, &relay->process);
	relay->state = RELAY_DOWN;
	if (driver_stop(relay->driver, &end) < 0)
		return -1;
	driver_log_close(&relay->driver_log);
	log_line(relay->log, LOG_NOTICE, "driver %d gone (%s): %s %d", pid, reason,
		 end.process.si_code == CLD_EXITED ? "exit status" : "signal",
		 end.process.si_status);
	return end.unread;
}

/* When the next start may be: at once after a steady time, later and later otherwise. */
static uint64_t back_off(struct relay *relay)
{
	uint64_t now = loop_now(), delay = 0;

	if (relay->losses && now - relay->last_loss > STEADY)
		relay->losses = 0;
	if (relay->losses)
		delay = relay->losses > 9 ? BACKOFF_LAST
					  : (uint64_t)BACKOFF_FIRST << (relay->losses - 1);
	if (delay > BACKOFF_LAST)
		delay = BACKOFF_LAST;
	relay->losses++;
	relay->last_loss = now;
	return delay;
}

static void restart_later(struct relay *relay, uint64_t delay)
{
	if (relay->draining)
		return;
	if (delay)
		log_line(relay->log, LOG_WARNING, "next start of the driver in %" PRIu64 " ms",
			 delay);
	loop_arm(relay->loop, &relay->restart, delay);
}

/* It could not be brought up: who waits for it is told so now, and nobody tries again too soon. */
static void start_failed(struct relay *relay, const char *reason)
{
	uint64_t delay;

	log_line(relay->log, LOG_ERR, "the driver cannot be started: %s", reason);
	driver_clean_up(relay, "start failed");
	if (!relay->losses)
		relay->losses = 1;
	delay = back_off(relay);
	relay->not_before = loop_now() + delay;
	restart_later(relay, delay);
	refuse_waiting(relay, -ENOPROTOOPT, reason);
	pump(relay);
}

/* What a driver did not read at all, it did not begin: whatever it asks for, another one may. */
static bool is_unread(const struct relay *relay, int unread)
{
	size_t size = sizeof(relay->request) + relay->request.len;

	return unread >= 0 && (size_t)unread + outflow_left(&relay->out) == size;
}

/* Ahead of all that wait; not for ever, as it may be what kills them. */
static void ask_again(struct relay *relay, struct exchange *exchange)
{
	exchange->begun = false;
	exchange->is_last = true;
	exchange->next = relay->queue;
	relay->queue = exchange;
}

static void driver_lost(struct relay *relay, const char *reason)
{
	enum relay_state state = relay->state;
	struct exchange *exchange = TAKE_PTR(relay->current);
	int unread;

	if (state == RELAY_HEALTH || state == RELAY_CONFIGURE) {
		start_failed(relay, reason);
		return;
	}
	unread = driver_clean_up(relay, reason);
	restart_later(relay, back_off(relay));
	if (exchange && !exchange->is_last && !relay->draining && is_unread(relay, unread))
		ask_again(relay, exchange);
	else if (exchange)
		exchange_refuse(exchange, -EFAULT, "the driver was lost during this request");
	pump(relay);
}

/* Frames to and from the driver. */

static void flow_error(struct relay *relay, const char *what, int error)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(-error));
	driver_lost(relay, reason);
}

/* Send what the pipe takes now; the rest when it takes more. */
static void send_some(struct relay *relay)
{
	int error = outflow_send(&relay->out, relay->driver->pipe_to);

	if (!error)
		loop_unwatch(relay->loop, &relay->to);
	else if (error == -EAGAIN && relay->to.fd < 0)
		error = loop_watch(relay->loop, &relay->to, relay->driver->pipe_to, EPOLLOUT);
	if (error && error != -EAGAIN)
		flow_error(relay, "writing to it", error);
}

static void pipe_writable(void *owner, uint32_t events)
{
	(void)events;
	send_some(owner);
}

static void send_frame(struct relay *relay, const struct request *request, const void *payload)
{
	relay->request = *request;
	relay->request.sequence = ++relay->sequence;
	relay->out =
		(struct outflow){ .parts = {
					  { .iov_base = &relay->request,
					    .iov_len = sizeof(relay->request) },
					  { .iov_base = (void *)payload, .iov_len = request->len },
				  } };
	relay->reply_got = 0;
	inflow_reset(&relay->in, 0);
	send_some(relay);
}

static void send_control(struct relay *relay, uint32_t cmd, const void *payload, uint32_t len)
{
	const struct request request = {
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.kind = FRAME_CONTROL,
		.len = len,
		.cmd = cmd,
		.netns_fd = -1,
	};

	send_frame(relay, &request, payload);
}

static void exchange_answer(struct relay *relay)
{
	struct exchange *exchange = TAKE_PTR(relay->current);
	uint64_t sequence = exchange->request.sequence;

	loop_disarm(relay->loop, &relay->timeout);
	relay->state = RELAY_IDLE;
	exchange->reply = relay->reply;
	exchange->reply.sequence = sequence;
	exchange->output = TAKE_PTR(relay->in.data);
	inflow_reset(&relay->in, 0);
	exchange_end(exchange);
}

static void configured(struct relay *relay)
{
	char reason[MESSAGE_SIZE];

	if (relay->reply.status) {
		snprintf(reason, sizeof(reason), "the driver cannot begin: %.*s (%s)",
			 (int)(relay->reply.message_len < 300 ? relay->reply.message_len : 300),
			 relay->in.data ? (char *)relay->in.data + relay->reply.len -
						  relay->reply.message_len
					: "",
			 strerror(-relay->reply.status));
		start_failed(relay, reason);
		return;
	}
	loop_disarm(relay->loop, &relay->timeout);
	relay->state = RELAY_IDLE;
	relay->not_before = 0;
	log_line(relay->log, LOG_NOTICE, "driver %d ready", relay->driver->pid);
}

static void reply_complete(struct relay *relay)
{
	if (relay->to.fd >= 0) {
		driver_lost(relay, "it answered before it was asked");
		return;
	}
	switch (relay->state) {
	case RELAY_HEALTH:
		if (relay->reply.status || relay->reply.len) {
			driver_lost(relay, "its health check failed");
			return;
		}
		relay->state = RELAY_CONFIGURE;
		loop_arm(relay->loop, &relay->timeout, relay->options.request_timeout);
		send_control(relay, CONTROL_CONFIGURE, relay->options.configuration,
			     relay->options.configuration_len);
		return;
	case RELAY_CONFIGURE:
		configured(relay);
		break;
	default:
		exchange_answer(relay);
	}
	pump(relay);
}

/* Take what there is of the header; 0 when it is complete, -EAGAIN, -errno. */
static int receive_header(struct relay *relay)
{
	while (relay->reply_got < sizeof(relay->reply)) {
		ssize_t got = read(relay->driver->pipe_from,
				   (unsigned char *)&relay->reply + relay->reply_got,
				   sizeof(relay->reply) - relay->reply_got);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EPIPE;
		relay->reply_got += (size_t)got;
		if (relay->reply_got == sizeof(relay->reply)) {
			int error = reply_check(&relay->reply, &relay->request);

			if (error)
				return error;
			inflow_reset(&relay->in, relay->reply.len);
		}
	}
	return 0;
}

static void pipe_readable(void *owner, uint32_t events)
{
	struct relay *relay = owner;
	int error;

	(void)events;
	if (relay->state == RELAY_IDLE) {
		driver_lost(relay, "it closed its pipe or spoke unasked");
		return;
	}
	error = receive_header(relay);
	if (!error)
		error = inflow_receive(&relay->in, relay->driver->pipe_from);
	if (error == -EAGAIN)
		return;
	if (error)
		flow_error(relay, "reading from it", error);
	else
		reply_complete(relay);
}

static void process_exited(void *owner, uint32_t events)
{
	struct relay *relay = owner;

	(void)events;
	/* What it wrote before it went still counts: the pipe's end of file comes after it. */
	if (relay->state == RELAY_IDLE || relay->from.fd < 0)
		driver_lost(relay, "it ended");
	else
		loop_unwatch(relay->loop, &relay->process);
}

static void timed_out(void *owner)
{
	struct relay *relay = owner;

	if (relay->current)
		relay->current->is_last = true;
	driver_lost(relay, "it did not answer in time");
}

static int watch_driver(struct relay *relay)
{
	int error = loop_watch(relay->loop, &relay->from, relay->driver->pipe_from, EPOLLIN);

	if (!error)
		error = loop_watch(relay->loop, &relay->process, relay->driver->pidfd, EPOLLIN);
	return error;
}

static void start_driver(struct relay *relay)
{
	_cleanup_close_ int log_fd = -1;
	int error;

	loop_disarm(relay->loop, &relay->restart);
	error = driver_log_open(&relay->driver_log, relay->loop, relay->log, &log_fd);
	if (!error) {
		error = driver_start(relay->driver, log_fd);
		if (error)
			driver_log_close(&relay->driver_log);
	}
	if (!error)
		error = watch_driver(relay);
	if (error) {
		start_failed(relay, strerror(-error));
		return;
	}
	log_line(relay->log, LOG_INFO, "driver %d started", relay->driver->pid);
	relay->state = RELAY_HEALTH;
	loop_arm(relay->loop, &relay->timeout, HEALTH_TIMEOUT);
	send_control(relay, CONTROL_HEALTH, NULL, 0);
}

static void restart_due(void *owner)
{
	struct relay *relay = owner;

	if (relay->state == RELAY_DOWN && !relay->draining)
		start_driver(relay);
}

/* The queue. */

static void answer_stop(struct relay *relay, struct exchange *exchange)
{
	char line[160];

	relay_drain(relay);
	if (relay->driver->pidfd >= 0)
		snprintf(line, sizeof(line),
			 "stopped ubpfilterd (pid %d) and %s (pid %d); the rules stay in force\n",
			 getpid(), relay->driver->driver_name, relay->driver->pid);
	else
		snprintf(line, sizeof(line),
			 "stopped ubpfilterd (pid %d); the rules stay in force\n", getpid());
	driver_clean_up(relay, "stop");
	exchange_refuse(exchange, 0, line);
	relay->options.stop(relay->options.owner);
}

static void begin(struct relay *relay)
{
	relay->current = queue_take(relay);
	relay->current->begun = true;
	relay->state = RELAY_BUSY;
	loop_arm(relay->loop, &relay->timeout, relay->options.request_timeout);
	send_frame(relay, &relay->current->request, relay->current->payload);
}

/* Bring the next request on its way, if there is one and it is its turn. */
static void pump(struct relay *relay)
{
	if (!relay->queue || (relay->state != RELAY_IDLE && relay->state != RELAY_DOWN))
		return;
	if (is_stop(relay->queue)) {
		answer_stop(relay, queue_take(relay));
		return;
	}
	/* Each request looks first whether the driver is gone. */
	if (relay->state == RELAY_IDLE && driver_exited(relay->driver))
		driver_clean_up(relay, "found gone");
	if (relay->state == RELAY_IDLE)
		begin(relay);
	else if (loop_now() < relay->not_before)
		refuse_waiting(relay, -ENOPROTOOPT,
			       "the driver cannot be started; see ubpfilterd's log");
	else
		start_driver(relay);
}

void relay_submit(struct relay *relay, struct exchange *exchange)
{
	struct exchange **last = &relay->queue;

	if (relay->draining) {
		exchange_refuse(exchange, -EAGAIN, "ubpfilterd is stopping");
		return;
	}
	while (*last)
		last = &(*last)->next;
	*last = exchange;
	pump(relay);
}

void relay_abandon(struct relay *relay, struct exchange *exchange, int netns_fd)
{
	struct exchange **link = &relay->queue;

	exchange->done = NULL;
	exchange->owner = NULL;
	exchange->netns_fd = netns_fd;
	if (exchange == relay->current)
		return;
	while (*link != exchange)
		link = &(*link)->next;
	*link = exchange->next;
	exchange_free(exchange);
}

void relay_start(struct relay *relay)
{
	if (relay->state == RELAY_DOWN && loop_now() >= relay->not_before)
		start_driver(relay);
}

void relay_drain(struct relay *relay)
{
	relay->draining = true;
	loop_disarm(relay->loop, &relay->restart);
	while (relay->queue)
		exchange_refuse(queue_take(relay), -EAGAIN, "ubpfilterd is stopping");
}

bool relay_busy(const struct relay *relay)
{
	return relay->state == RELAY_BUSY;
}

int relay_open(struct relay **relay, struct loop *loop, const struct log *log,
	       struct driver *driver, const struct relay_options *options)
{
	struct relay *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	*new = (struct relay){
		.loop = loop,
		.log = log,
		.driver = driver,
		.options = *options,
		.to = { .fd = -1, .ready = pipe_writable, .owner = new },
		.from = { .fd = -1, .ready = pipe_readable, .owner = new },
		.process = { .fd = -1, .ready = process_exited, .owner = new },
		.timeout = { .expired = timed_out, .owner = new },
		.restart = { .expired = restart_due, .owner = new },
	};
	*relay = new;
	return 0;
}

void relay_close(struct relay *relay)
{
	relay_drain(relay);
	driver_clean_up(relay, "stop");
	if (relay->current)
		exchange_refuse(TAKE_PTR(relay->current), -EFAULT,
				"ubpfilterd was stopped during this request");
	inflow_reset(&relay->in, 0);
	free(relay);
}
