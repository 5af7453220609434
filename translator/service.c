/* SPDX-License-Identifier: GPL-2.0-only */
#include "service.h"

#include <errno.h>
#include <string.h>

#include "../loader/config.h"
#include "../loader/loader.h"
#include "home.h"

struct service {
	struct loader *loader;
	struct table_cache cache;
	bool strict;
};

/* What every kind of request gets: where it comes from, what it carries, where its answer goes. */
struct call {
	const struct request *request;
	int netns_fd;
	const void *payload;
	void **output;
	size_t *output_len;
};

static int open_home(struct service *service, const struct call *call, struct home *home,
		     struct message *message)
{
	const struct home_options options = { service->loader, &service->cache, service->strict };

	return home_open(&options, call->netns_fd, call->request->level, home, message);
}

static int handle_sockopt(struct service *service, const struct call *call, struct message *message)
{
	const struct request *request = call->request;
	struct home home;
	int error = open_home(service, call, &home, message);

	if (error)
		return error;
	if (request->is_set)
		return home_set(&home, (int)request->cmd, call->payload, request->len, call->output,
				call->output_len, message);
	return home_get(&home, (int)request->cmd, call->payload, request->len, call->output,
			call->output_len, message);
}

/* Collect what @write prints as the call's output. */
static int text_output(int (*write)(const void *subject, FILE *out), const void *subject,
		       const struct call *call)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int error;

	if (!out)
		return -ENOMEM;
	error = write(subject, out);
	if (fclose(out) && !error)
		error = -ENOMEM;
	if (error) {
		free(text);
		return error;
	}
	*call->output = text;
	*call->output_len = size;
	return 0;
}

/* The supervisor is the driver's parent: nobody else starts one. */
static int write_status(const void *base, FILE *out)
{
	const struct service *service = base;

	fprintf(out, "supervisor: ubpfilterd, pid %d\ndriver: bpfilter_umh, pid %d\n",
		(int)getppid(), (int)getpid());
	if (service->strict)
		fputs("strict: yes\n", out);
	return loader_status(service->loader, out);
}

static int write_programs(const void *netns, FILE *out)
{
	return netns_programs(netns, out);
}

static int write_tables(const void *base, FILE *out)
{
	const struct home *home = base;

	if (netns_generation(home->netns, home->slot) && fputs("filter\n", out) < 0)
		return -ENOMEM;
	return 0;
}

static int handle_status(struct service *service, const struct call *call, struct message *message)
{
	(void)message;
	return text_output(write_status, service, call);
}

static int handle_dump(struct service *service, const struct call *call, struct message *message)
{
	struct netns *netns;
	int error = netns_open(service->loader, call->netns_fd, &netns, message);

	return error ? error : text_output(write_programs, netns, call);
}

static int handle_flush(struct service *service, const struct call *call, struct message *message)
{
	struct netns *netns;
	int error = netns_open(service->loader, call->netns_fd, &netns, message);

	return error ? error : netns_flush(netns, message);
}

static int handle_tables(struct service *service, const struct call *call, struct message *message)
{
	struct home home;
	int error = open_home(service, call, &home, message);

	return error ? error : text_output(write_tables, &home, call);
}

static int handle_control(struct service *service, const struct call *call, struct message *message)
{
	static int (*const handlers[])(struct service *, const struct call *, struct message *) = {
		[CONTROL_STATUS] = handle_status,
		[CONTROL_DUMP] = handle_dump,
		[CONTROL_FLUSH] = handle_flush,
		[CONTROL_TABLES] = handle_tables,
	};
	uint32_t command = call->request->cmd;

	if (command >= ARRAY_SIZE(handlers) || !handlers[command])
		return message_set(message, -EINVAL, "control command %u is not known", command);
	return handlers[command](service, call, message);
}

int service_handle(struct service *service, const struct request *request, int netns_fd,
		   const void *payload, void **output, size_t *output_len, struct message *message)
{
	const struct call call = { request, netns_fd, payload, output, output_len };

	*output = NULL;
	*output_len = 0;
	if (request->kind == FRAME_SOCKOPT)
		return handle_sockopt(service, &call, message);
	if (request->kind == FRAME_CONTROL)
		return handle_control(service, &call, message);
	return message_set(message, -EINVAL, "frame kind %u is not known", request->kind);
}

/* What overrides the configured hook; -1: nothing does. */
static int parse_hook(const char *text, int *hook, struct message *message)
{
	enum hook_choice choice;

	*hook = -1;
	if (!text || !*text)
		return 0;
	if (hook_parse(text, &choice))
		return message_set(message, -EINVAL,
				   "hook \"%s\" is none of auto, netfilter, xdp, tc", text);
	*hook = (int)choice;
	return 0;
}

/* Whether what BPF does not do is refused: as the configuration says, unless @text does. */
static int parse_strict(const char *text, bool configured, bool *strict, struct message *message)
{
	*strict = configured;
	if (!text || !*text || !yes_parse(text, strict))
		return 0;
	return message_set(message, -EINVAL, "strict \"%s\" is neither yes nor no", text);
}

int service_open(struct service **service, const struct service_options *options,
		 struct message *message)
{
	_cleanup_free_ struct service *new = calloc(1, sizeof(*new));
	int hook;
	int error;

	if (!new)
		return -ENOMEM;
	error = parse_hook(options->hook, &hook, message);
	if (error)
		return error;
	error = loader_open(&new->loader, options->rundir, options->config, hook, message);
	if (error)
		return error;
	error = parse_strict(options->strict, loader_config(new->loader)->strict, &new->strict,
			     message);
	if (error) {
		loader_close(new->loader);
		return error;
	}
	*service = TAKE_PTR(new);
	return 0;
}

void service_close(struct service *service)
{
	if (!service)
		return;
	table_cache_clear(&service->cache);
	loader_close(service->loader);
	free(service);
}

int service_event_fd(const struct service *service)
{
	return loader_event_fd(service->loader);
}

int service_event(struct service *service, struct message *message)
{
	return loader_event(service->loader, message);
}
