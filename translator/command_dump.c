/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ubpfilter dump`: the programs in force in this network namespace, each rule above its
 * instructions. bpftool disassembles them; it knows the kernel's view of a program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "control.h"

static const char usage[] = "usage: ubpfilter dump\n"
			    "\n"
			    "Shows the BPF programs that filter this network namespace, each rule\n"
			    "above the instructions that were made of it. Needs bpftool.\n";

/* ".../ipv4-7/tc_ingress": what of a pin's path is worth a heading. */
static void print_heading(const char *path)
{
	const char *name = strrchr(path, '/');
	const char *folder = name;

	while (folder && folder > path && folder[-1] != '/')
		folder--;
	printf("\n### %s, %.*s (%s)\n\n", name ? name + 1 : path, name ? (int)(name - folder) : 0,
	       folder ? folder : "", path);
	fflush(stdout);
}

/* bpftool puts the source's place behind each line; a rule needs its text only, and only once. */
static void print_listing(FILE *listing)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *rule = strdup("");
	size_t room = 0;

	while (getline(&line, &room, listing) > 0) {
		char *place = strstr(line, " [file:");

		if (line[0] != ';' || !place) {
			fputs(line, stdout);
			continue;
		}
		*place = '\0';
		if (rule && !strcmp(rule, line))
			continue;
		printf("\n%s\n", line);
		free(rule);
		rule = strdup(line);
	}
}

static int dump_program(const char *path)
{
	int ends[2], status;
	FILE *listing;
	pid_t child;

	fflush(stdout);
	if (pipe(ends))
		return -errno;
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("bpftool", "bpftool", "prog", "dump", "xlated", "pinned", path, "linum",
		       (char *)NULL);
		fprintf(stderr, "ubpfilter dump: cannot run bpftool (package bpftool): %m\n");
		_exit(127);
	}
	close(ends[1]);
	listing = fdopen(ends[0], "re");
	if (listing) {
		print_listing(listing);
		fclose(listing);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -ECHILD;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int command_dump(int argc, char **argv)
{
	_cleanup_free_ char *text = NULL;
	int status = control_options(argc, argv, usage, NULL, NULL);
	int error;

	if (status)
		return status - 1;
	error = control_ask(argv[0], CONTROL_DUMP, CLIENT_AUTOSTART, &text);
	if (error)
		return EXIT_FAILURE;
	if (!*text)
		puts("no table of this network namespace is enforced by BPF");
	for (char *path = strtok(text, "\n"); path; path = strtok(NULL, "\n")) {
		print_heading(path);
		if (dump_program(path))
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
