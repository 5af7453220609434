/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfilter_umh: frames in on descriptor 0, replies out on 1, log lines on 2. It answers health
 * checks itself; everything else goes to the service, which knows what a table is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../common/io.h"
#include "../supervisor/frame.h"
#include "../supervisor/system_calls.h"
#include "service.h"

struct session {
	struct service *service; /* NULL before CONTROL_CONFIGURE */
	int lock_fd;
};

/* One driver at a time works on a runtime folder, even while the one before it is still dying. */
static int lock_rundir(const char *rundir, int *lock_fd, struct message *message)
{
	_cleanup_close_ int folder = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;

	if (folder >= 0)
		fd = openat(folder, "driver.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return message_set(message, -errno, "cannot lock %s/driver.lock: %s", rundir,
				   strerror(errno));
	*lock_fd = TAKE_FD(fd);
	return 0;
}

/* "rundir\0config\0hook\0strict\0" */
static int parse_configuration(const char *data, size_t len, struct service_options *options,
			       struct message *message)
{
	const char *strings[4], *end = data + len;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		size_t length = strnlen(data, (size_t)(end - data));

		if (data + length == end)
			return message_set(message, -EINVAL, "the configuration is cut short");
		strings[i] = data;
		data += length + 1;
	}
	*options = (struct service_options){
		.rundir = strings[0],
		.config = strings[1],
		.hook = *strings[2] ? strings[2] : NULL,
		.strict = *strings[3] ? strings[3] : NULL,
	};
	return 0;
}

static int configure(struct session *session, const struct request *request, const char *payload,
		     struct message *message)
{
	struct service_options options;
	int error;

	if (session->service)
		return message_set(message, -EBUSY, "the driver is configured already");
	error = parse_configuration(payload, request->len, &options, message);
	if (!error)
		error = lock_rundir(options.rundir, &session->lock_fd, message);
	if (!error)
		error = service_open(&session->service, &options, message);
	return error;
}

/* The client's network namespace, which the supervisor holds open for the time of the request. */
static int open_netns(const struct request *request, int *netns_fd, struct message *message)
{
	_cleanup_close_ int fd = -1;
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), request->netns_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return message_set(message, -errno,
				   "cannot open the client's network namespace: %s",
				   strerror(errno));
	if (status.st_ino != request->netns_inode || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return message_set(message, -ESTALE, "the client's network namespace is gone");
	*netns_fd = TAKE_FD(fd);
	return 0;
}

static int answer(struct session *session, const struct request *request, const char *payload,
		  void **output, size_t *output_len, struct message *message)
{
	_cleanup_close_ int netns_fd = -1;
	int error;

	if (request->kind == FRAME_CONTROL && request->cmd == CONTROL_HEALTH)
		return 0;
	if (request->kind == FRAME_CONTROL && request->cmd == CONTROL_CONFIGURE)
		return configure(session, request, payload, message);
	if (!session->service)
		return message_set(message, -EINVAL, "the driver is not configured");
	error = open_netns(request, &netns_fd, message);
	if (error)
		return error;
	return service_handle(session->service, request, netns_fd, payload, output, output_len,
			      message);
}

/* Header, output and message, in one write as a rule: each write wakes the supervisor. */
static int send_reply(const struct request *request, int status, void *output, size_t output_len,
		      const struct message *message)
{
	uint32_t message_len = (uint32_t)strlen(message->text);
	struct outflow flow;
	struct reply reply;
	int error;

	if (output_len > FRAME_LENGTH_MAX - message_len)
		return -EMSGSIZE;
	reply = reply_to(request, status, (uint32_t)output_len + message_len, message_len);
	flow = (struct outflow){ .parts = {
					 { .iov_base = &reply, .iov_len = sizeof(reply) },
					 { .iov_base = output, .iov_len = output_len },
				 } };
	error = outflow_send(&flow, STDOUT_FILENO);
	return error ? error : io_write(STDOUT_FILENO, message->text, message_len);
}

/* One request and its reply; an error means that the stream is of no use any more. */
static int handle_frame(struct session *session)
{
	_cleanup_free_ char *payload = NULL;
	_cleanup_free_ void *output = NULL;
	struct message message = {};
	size_t output_len = 0;
	struct request request;
	int error = io_read(STDIN_FILENO, &request, sizeof(request));

	if (!error)
		error = request_check(&request);
	if (error)
		return error;
	payload = malloc(request.len + 1);
	if (!payload)
		return -ENOMEM;
	error = io_read(STDIN_FILENO, payload, request.len);
	if (error)
		return error;
	error = answer(session, &request, payload, &output, &output_len, &message);
	return send_reply(&request, error, output, output_len, &message);
}

/* Devices and namespaces that came or went. What fails is tried again with the next event. */
static void handle_event(struct session *session)
{
	struct message message = {};
	int error = service_event(session->service, &message);

	if (error)
		fprintf(stderr, "%s (%s)\n", message.text, strerror(-error));
}

/* What a large table took is needed again by the next command of a script, or not soon; between two
 * requests of one command on 100,000 rules lie 200 ms. */
#define QUIET_MILLISECONDS 2000

/* Until it is quiet, memory stays: pages that are taken anew cost as much as what is done in them.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

/* Wait for something to do. Once it is quiet, unused memory goes back to the kernel. */
static int wait_for_work(struct pollfd *events, nfds_t count, bool *tidy)
{
	int ready = poll(events, count, *tidy ? -1 : QUIET_MILLISECONDS);

	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	if (!ready)
		malloc_trim(0);
	*tidy = !ready;
	return ready;
}

static int session_run(struct session *session)
{
	bool tidy = false;
	int error = 0;

	while (!error) {
		struct pollfd events[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = session->service ? service_event_fd(session->service) : -1,
			  .events = POLLIN },
		};

		int ready = wait_for_work(events, ARRAY_SIZE(events), &tidy);

		if (ready <= 0) {
			error = ready;
			continue;
		}
		if (events[1].revents)
			handle_event(session);
		if (events[0].revents)
			error = handle_frame(session);
	}
	return error;
}

int main(void)
{
	struct session session = { .lock_fd = -1 };
	int error;

	keep_memory();
	signal(SIGPIPE, SIG_IGN);
	error = system_calls_restrict();
	if (!error)
		error = session_run(&session);
	if (session.service)
		service_close(session.service);
	cleanup_close(&session.lock_fd);
	/* The supervisor closed the pipe: that is how it says that it is done with us. */
	if (error == -EPIPE)
		return EXIT_SUCCESS;
	fprintf(stderr, "ended: %s\n", strerror(-error));
	return EXIT_FAILURE;
}
