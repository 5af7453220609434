/* SPDX-License-Identifier: GPL-2.0-only */
/* One twin: its rules, its steps, its counters. */
#include "heard.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_UNSETTLED 64 /* frames on their way at most: no queue overflows */

extern char **environ;

/* The twins shall not wait for each other's lock of xtables, nor for others'. */
static int environment_make(struct twin *twin)
{
	unsigned count = 0;

	while (environ[count])
		count++;
	twin->environment = calloc(count + 2, sizeof(char *));
	if (!twin->environment)
		return -ENOMEM;
	memcpy(twin->environment + 1, environ, count * sizeof(char *));
	if (asprintf(&twin->environment[0], "XTABLES_LOCKFILE=/run/%s.lock", twin->name) < 0)
		return -ENOMEM;
	return 0;
}

static int runner_make(struct twin *twin, const char *build)
{
	char *path = NULL;

	if (build && asprintf(&path, "%s/ubpfilter", build) < 0)
		return -ENOMEM;
	twin->runner = path;
	return 0;
}

int twin_open(struct twin *twin, const char *name, const char *build, const struct scope *scope,
	      unsigned processor)
{
	int error;

	memset(twin, 0xff, sizeof(*twin)); /* no descriptor is open */
	snprintf(twin->name, sizeof(twin->name), "%s", name);
	twin->environment = NULL;
	twin->fences = 0;
	twin->scope = scope;
	twin->processor = processor;
	error = runner_make(twin, build);
	if (!error)
		error = environment_make(twin);
	if (!error)
		error = twin_wire(twin);
	if (!error)
		error = links_open(twin);
	if (!error)
		error = hearing_open(twin);
	if (error)
		return error;
	twin->connections = -1;
	if (scope->variant == VARIANT_PLAIN)
		return 0;
	error = place_enter(twin, PLACE_ROUTER);
	twin->connections = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	return error ? error : twin->connections < 0 ? -errno : 0;
}

void twin_close(struct twin *twin)
{
	links_close(twin);
	hearing_close(twin);
	if (twin->connections >= 0)
		close(twin->connections);
	twin_unwire(twin);
	if (twin->environment) {
		unlink(twin->environment[0] + strlen("XTABLES_LOCKFILE="));
		free(twin->environment[0]);
	}
	free(twin->environment);
	free((char *)twin->runner);
}

/* --- iptables ------------------------------------------------------------------------------- */

static int iptables_run(struct twin *twin, bool ours, const char *const arguments[],
			const char *input, char **output)
{
	const char *argv[12];
	unsigned count = 0;

	if (ours && twin->runner) {
		argv[count++] = twin->runner;
		argv[count++] = "exec";
		argv[count++] = "--";
	}
	while (*arguments)
		argv[count++] = *arguments++;
	argv[count] = NULL;
	return command_run(twin->netns[PLACE_ROUTER], twin->environment, argv, input, output);
}

static int twin_restore(struct twin *twin, const char *text)
{
	const char *const arguments[] = { twin->scope->family == 4 ? "iptables-legacy-restore"
								   : "ip6tables-legacy-restore",
					  NULL };
	int error = iptables_run(twin, true, arguments, text, NULL);

	if (error)
		printf("%s: restore: exit status %d of\n%s", twin->name, error, text);
	return error;
}

/* A table that is handed to the kernel would be compared with itself. */
static int bpf_enforces(struct twin *twin)
{
	const char *const argv[] = { twin->runner, "status", NULL };
	char *text = NULL;
	int error = command_run(-1, twin->environment, argv, NULL, &text);

	if (!error && !strstr(text, "enforced by BPF")) {
		printf("%s: BPF does not enforce the table:\n%s", twin->name, text);
		error = -EREMOTE;
	}
	free(text);
	return error;
}

/* iptables-save without its comment lines, which carry the time. */
static void put_lines(FILE *out, const char *text, const char *without)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (*text != '#' && !(without && !strncmp(text, without, strlen(without))))
			fprintf(out, "%.*s\n", (int)(end - text), text);
		text = *end ? end + 1 : end;
	}
}

/* Another table than the filter is the kernel's own in either twin: no need to ask ubpfilter. */
static int put_table(struct twin *twin, const char *table, const char *without, FILE *out)
{
	const char *const arguments[] = { twin->scope->family == 4 ? "iptables-legacy-save"
								   : "ip6tables-legacy-save",
					  "-c", "-t", table, NULL };
	char *text = NULL;
	int error = iptables_run(twin, !strcmp(table, "filter"), arguments, NULL, &text);

	if (!error)
		put_lines(out, text, without);
	free(text);
	return error;
}

int twin_counters(struct twin *twin, FILE *out)
{
	/* TC egress drops behind the other tables' OUTPUT */
	const char *without = scope_is_exact(twin->scope) ? NULL : ":OUTPUT";
	int error = put_table(twin, "filter", NULL, out);

	if (!error)
		error = put_table(twin, "security", without, out);
	if (!error && twin->scope->variant == VARIANT_NAT)
		error = put_table(twin, "nat", NULL, out);
	for (unsigned side = 0; side < 2 && !error; side++) {
		uint64_t left[2];

		error = traffic_left(twin, side, left);
		if (!error)
			fprintf(out, "%lu frames, %lu bytes on eth%u\n",
				left[0] - twin->left[side][0], left[1] - twin->left[side][1], side);
	}
	return error;
}

/* --- a run ---------------------------------------------------------------------------------- */

/* All of before has arrived, and nothing is lost for want of room. */
static int settle_and_hear(const struct run *run, struct heard *heard)
{
	int error = twin_settle(run->twin);

	return error ? error : hear(run->twin, heard);
}

static int steps_do(const struct run *run, struct heard *heard, FILE *log)
{
	static _Thread_local struct burst burst;
	/* connections may see packets in one order only */
	unsigned unsettled_max = run->twin->scope->variant == VARIANT_PLAIN ? FRAMES_UNSETTLED : 1;
	unsigned unsettled = 0;
	int error = 0;

	for (unsigned i = 0; i < run->step_count && !error; i++) {
		const struct step *step = &run->steps[i];

		if (run->skip[i])
			continue;
		if (step->kind == STEP_FRAMES) {
			burst_make(&burst, step, run->twin->scope, run->salt);
			error = burst_send(run->twin, &burst, log);
			unsettled += burst.count;
			if (unsettled < unsettled_max)
				continue;
		}
		if (!error)
			error = settle_and_hear(run, heard);
		if (!error && step->kind != STEP_FRAMES)
			error = exchange_do(run->twin, step, log);
		unsettled = 0;
	}
	return error ? error : settle_and_hear(run, heard);
}

static int run_prepare(const struct run *run)
{
	struct twin *twin = run->twin;
	struct heard before = {};
	char *rules = ruleset_text(run->ruleset, run->without);
	int error = twin_restore(twin, rules);

	free(rules);
	if (!error && twin->runner)
		error = bpf_enforces(twin);
	if (!error && twin->connections >= 0)
		error = connections_flush(twin->connections);
	for (unsigned side = 0; side < 2 && !error; side++)
		error = traffic_left(twin, side, twin->left[side]);
	if (!error)
		error = hear(twin, &before);
	heard_free(&before);
	return error;
}

static void processor_choose(unsigned processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	sched_setaffinity(0, sizeof(one), &one); /* refused: a busier bench, no wrong one */
}

void *twin_run(void *argument)
{
	struct run *run = argument;
	struct heard heard = {};
	char *log_text = NULL;
	size_t size;
	FILE *log = open_memstream(&log_text, &size), *out = open_memstream(&run->text, &size);

	if (!log || !out)
		abort();
	processor_choose(run->twin->processor);
	/* children of the other twin's thread shall not hold our sockets open until they exec */
	if (unshare(CLONE_FILES))
		abort();
	run->error = run_prepare(run);
	if (!run->error)
		run->error = steps_do(run, &heard, log);
	if (!run->error)
		run->error = twin_counters(run->twin, out);
	fclose(log);
	fprintf(out, "%s", log_text);
	heard_print(&heard, out);
	heard_free(&heard);
	fclose(out);
	free(log_text);
	return NULL;
}
