/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ubpfilter dump`: the programs in force in a network namespace, each rule above its
 * instructions. bpftool disassembles them; it knows the kernel's view of a program.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "child.h"
#include "commands.h"
#include "control.h"
#include "listing.h"

static const char usage[] =
	"usage: ubpfilter dump [--all] [--netns NAME]\n"
	"\n"
	"Shows the BPF programs that filter this network namespace, each rule in\n"
	"iptables-save form above the instructions that were made of it. The number before\n"
	"a rule is its entry in the table, policies and chain heads counted. Needs bpftool.\n"
	"\n"
	"  --all          the code that parses and counts, too\n"
	"  --netns NAME   the namespace that `ip netns` calls NAME\n"
	"  -h, --help     show this\n";

/* What a pin's path says: ".../<family>-<generation>/<program>". */
static void print_heading(const char *path)
{
	static const struct {
		const char *program, *hook;
	} hooks[] = {
		{ "xdp_ingress", "XDP: INPUT and FORWARD" },
		{ "tc_ingress", "TC ingress: INPUT and FORWARD" },
		{ "tc_egress", "TC egress: OUTPUT" },
		{ "netfilter_hooks", "netfilter: INPUT, FORWARD and OUTPUT" },
	};
	const char *name = strrchr(path, '/');
	const char *folder = name ? memrchr(path, '/', (size_t)(name - path)) : NULL;
	const char *hook = "";
	uint64_t generation;
	char family[8];

	if (!folder || sscanf(folder, "/%7[a-z0-9]-%" SCNu64, family, &generation) != 2) {
		printf("=== %s\n", path);
		return;
	}
	name++;
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strcmp(hooks[i].program, name) == 0)
			hook = hooks[i].hook;
	printf("=== %s filter, generation %" PRIu64 ", %s (%s)\n",
	       strcmp(family, "ipv4") == 0 ? "IPv4" : "IPv6", generation, hook, name);
}

/* What bpftool says about what it cannot do goes to our stderr. */
static int start_bpftool(const char *path, FILE **listing, pid_t *pid)
{
	const char *arguments[] = { "bpftool", "prog", "dump",	"xlated",
				    "pinned",  path,   "linum", NULL };
	_cleanup_close_ int read_end = -1, write_end = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	*listing = fdopen(read_end, "r");
	if (!*listing)
		return -errno;
	TAKE_FD(read_end);
	*pid = fork();
	if (*pid < 0)
		return -errno;
	if (!*pid) {
		if (dup2(write_end, STDOUT_FILENO) < 0)
			_exit(CHILD_NOT_FOUND);
		child_execute(arguments);
	}
	return 0;
}

static bool is_supervisor(const char *process)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[64], name[16] = "";

	snprintf(path, sizeof(path), "/proc/%.16s/comm", process);
	file = fopen(path, "re");
	return file && fscanf(file, "%15s", name) == 1 && strcmp(name, "ubpfilterd") == 0;
}

/*
 * The supervisor mounts its bpffs in the host's mount namespace; one that was made before, as by
 * `ip netns exec`, may not see it but through the supervisor's root.
 */
static int visible_path(const char *path, char visible[PATH_MAX])
{
	bool found = access(path, F_OK) == 0;
	DIR *processes = found ? NULL : opendir("/proc");
	struct dirent *process;

	snprintf(visible, PATH_MAX, "%s", path);
	while (processes && !found && (process = readdir(processes))) {
		if (!isdigit((unsigned char)process->d_name[0]) || !is_supervisor(process->d_name))
			continue;
		snprintf(visible, PATH_MAX, "/proc/%.16s/root%.4000s", process->d_name, path);
		found = access(visible, F_OK) == 0;
	}
	if (processes)
		closedir(processes);
	return found ? 0 : -ENOENT;
}

static int dump_program(const char *path, enum listing_scope scope)
{
	_cleanup_fclose_ FILE *listing = NULL;
	char visible[PATH_MAX];
	pid_t pid = -1;
	int error, status;

	print_heading(path);
	fflush(stdout);
	error = visible_path(path, visible);
	if (!error)
		error = start_bpftool(visible, &listing, &pid);
	if (!error) {
		error = listing_write(listing, stdout, scope);
		status = child_wait(pid);
		if (status == CHILD_NOT_FOUND) {
			fputs("ubpfilter dump: cannot run bpftool (Debian's package bpftool)\n",
			      stderr);
			return -ENOENT;
		}
		if (!error && status)
			error = -EIO;
	}
	if (error)
		fprintf(stderr, "ubpfilter dump: cannot list %s: %s\n", path, strerror(-error));
	putchar('\n');
	return error;
}

/* Return: 0; the exit status plus one. */
static int parse_arguments(int argc, char **argv, enum listing_scope *scope, const char **netns)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "netns", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			*scope = LISTING_ALL;
			break;
		case 'n':
			*netns = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		default:
			return EXIT_USAGE + 1;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "ubpfilter dump: unexpected argument \"%s\"\n", argv[optind]);
	return EXIT_USAGE + 1;
}

int command_dump(int argc, char **argv)
{
	enum listing_scope scope = LISTING_RULES;
	_cleanup_free_ char *text = NULL;
	const char *netns = NULL;
	char *path, *rest;
	int status = parse_arguments(argc, argv, &scope, &netns);

	if (status)
		return status - 1;
	if (control_ask_netns("dump", CONTROL_DUMP, CLIENT_AUTOSTART, netns, &text))
		return EXIT_FAILURE;
	path = strtok_r(text, "\n", &rest);
	if (!path)
		puts("no table of this network namespace is enforced by BPF");
	for (; path; path = strtok_r(NULL, "\n", &rest))
		if (dump_program(path, scope))
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
