/* SPDX-License-Identifier: GPL-2.0-only */
#include "service.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "../iptables-compat/sockopt.h"
#include "../loader/config.h"
#include "../loader/loader.h"
#include "compile.h"
#include "table_cache.h"

struct service {
	struct loader *loader;
	struct table_cache cache;
};

/* The filter table of one request's namespace and family, in force as BPF. */
struct bpf_home {
	struct table_home home; /* first: the callbacks get a pointer to it */
	struct service *service;
	struct netns *netns;
	int netns_fd;
	enum family family;
	enum table_family slot;
};

/* Counters of the loader and of the socket ABI are the same two u64. */
_Static_assert(sizeof(struct xt_counters) == sizeof(struct counter), "counters are cast");
_Static_assert(offsetof(struct xt_counters, pcnt) == offsetof(struct counter, packets) &&
		       offsetof(struct xt_counters, bcnt) == offsetof(struct counter, bytes),
	       "counters are cast");

static struct table_key home_key(const struct bpf_home *home)
{
	return (struct table_key){
		.cookie = netns_cookie(home->netns),
		.generation = netns_generation(home->netns, home->slot),
		.family = home->family,
	};
}

/* Compile @table, put it in force and keep it; ownership moves on success. */
static int home_enforce(struct bpf_home *home, struct table *table, struct counter *old,
			uint32_t old_count, struct message *message)
{
	struct compile_options options = {};
	struct object object = {};
	_cleanup_free_ void *blob = NULL;
	struct generation next = { .object = &object, .rule_count = table->entry_count };
	struct table_key key;
	int error;

	error = table_write(table, &blob, &next.blob_size);
	if (error)
		return message_set(message, error, "cannot write the table down: %s",
				   strerror(-error));
	next.blob = blob;
	error = loader_stages(home->service->loader, &options.stages, message);
	if (error)
		return error;
	next.stages = options.stages;
	error = compile(table, &options, &object, message);
	if (error)
		return error;
	error = netns_replace(home->netns, home->netns_fd, home->slot, &next, old, old_count,
			      message);
	object_free(&object);
	if (error)
		return error;
	key = home_key(home);
	table_cache_put(&home->service->cache, &key, table);
	return 0;
}

/* As the kernel: a table that nobody asked for yet comes into being, and counts, when asked for. */
static int home_enforce_initial(struct bpf_home *home, struct message *message)
{
	struct table *table;
	int error;

	error = table_initial(home->family, &table);
	if (error)
		return error;
	error = home_enforce(home, table, NULL, 0, message);
	if (error)
		table_free(table);
	return error;
}

static int home_load(struct bpf_home *home, struct message *message)
{
	_cleanup_free_ void *blob = NULL;
	struct table_key key = home_key(home);
	struct table *table;
	size_t size;
	int error;

	error = netns_blob(home->netns, home->slot, &blob, &size, message);
	if (error)
		return error;
	error = table_read(blob, size, &table);
	if (error)
		return message_set(message, error, "the saved table is damaged: %s",
				   strerror(-error));
	table_cache_put(&home->service->cache, &key, table);
	return 0;
}

static int home_current(struct table_home *base, const struct table **table,
			struct message *message)
{
	struct bpf_home *home = (struct bpf_home *)base;
	struct table_key key = home_key(home);
	const struct table *found = NULL;
	int error;

	if (key.generation == 0) {
		error = home_enforce_initial(home, message);
		if (error)
			return error;
		key = home_key(home);
	}
	found = table_cache_find(&home->service->cache, &key);
	if (!found) {
		error = home_load(home, message);
		if (error)
			return error;
		found = table_cache_find(&home->service->cache, &key);
	}
	*table = found;
	return 0;
}

static int home_counters(struct table_home *base, struct xt_counters *counters,
			 struct message *message)
{
	struct bpf_home *home = (struct bpf_home *)base;
	const struct table *table;
	int error = home_current(base, &table, message);

	if (error)
		return error;
	return netns_counters(home->netns, home->slot, (struct counter *)counters,
			      table->entry_count, message);
}

static int home_replace(struct table_home *base, struct table *table, struct xt_counters *old,
			struct message *message)
{
	struct bpf_home *home = (struct bpf_home *)base;
	const struct table *current;
	int error = home_current(base, &current, message);

	if (error)
		return error;
	return home_enforce(home, table, (struct counter *)old, current->entry_count, message);
}

static int home_add_counters(struct table_home *base, const struct xt_counters *counters,
			     struct message *message)
{
	struct bpf_home *home = (struct bpf_home *)base;
	const struct table *table;
	int error = home_current(base, &table, message);

	if (error)
		return error;
	return netns_add_counters(home->netns, home->slot, (const struct counter *)counters,
				  table->entry_count, message);
}

static int family_of_level(uint32_t level, enum family *family)
{
	switch (level) {
	case IPPROTO_IP:
		*family = FAMILY_IPV4;
		return 0;
	case IPPROTO_IPV6:
		*family = FAMILY_IPV6;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int home_open(struct service *service, int netns_fd, uint32_t level, struct bpf_home *home,
		     struct message *message)
{
	int error = family_of_level(level, &home->family);

	if (error)
		return message_set(message, error, "socket level %u has no tables", level);
	home->home = (struct table_home){
		.current = home_current,
		.counters = home_counters,
		.replace = home_replace,
		.add_counters = home_add_counters,
	};
	home->service = service;
	home->netns_fd = netns_fd;
	home->slot = home->family == FAMILY_IPV4 ? TABLE_IPV4 : TABLE_IPV6;
	return netns_open(service->loader, netns_fd, &home->netns, message);
}

/* What every kind of request gets: where it comes from, what it carries, where its answer goes. */
struct call {
	const struct request *request;
	int netns_fd;
	const void *payload;
	void **output;
	size_t *output_len;
};

static int handle_sockopt(struct service *service, const struct call *call, struct message *message)
{
	const struct request *request = call->request;
	struct bpf_home home;
	int error = home_open(service, call->netns_fd, request->level, &home, message);

	if (error)
		return error;
	if (request->is_set)
		return sockopt_set(&home.home, home.family, (int)request->cmd, call->payload,
				   request->len, call->output, call->output_len, message);
	return sockopt_get(&home.home, home.family, (int)request->cmd, call->payload, request->len,
			   call->output, call->output_len, message);
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
static int write_status(const void *loader, FILE *out)
{
	fprintf(out, "supervisor: ubpfilterd, pid %d\ndriver: bpfilter_umh, pid %d\n",
		(int)getppid(), (int)getpid());
	return loader_status(loader, out);
}

static int write_programs(const void *netns, FILE *out)
{
	return netns_programs(netns, out);
}

static int write_tables(const void *base, FILE *out)
{
	const struct bpf_home *home = base;

	if (netns_generation(home->netns, home->slot) && fputs("filter\n", out) < 0)
		return -ENOMEM;
	return 0;
}

static int handle_status(struct service *service, const struct call *call, struct message *message)
{
	(void)message;
	return text_output(write_status, service->loader, call);
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
	struct bpf_home home;
	int error = home_open(service, call->netns_fd, call->request->level, &home, message);

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
