/* SPDX-License-Identifier: GPL-2.0-only */
/* ubpfilter: the command line. A table of subcommands, nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "commands.h"

#ifndef UBPFILTER_VERSION
#define UBPFILTER_VERSION "0.1"
#endif

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *description;
} commands[] = {
	{ "exec", command_exec, "run a command whose iptables works on BPF" },
	{ "translate", command_translate, "compile an iptables-save file to a BPF object" },
	{ "check", command_check, "where each rule is enforced here, and how exactly" },
	{ "status", command_status, "who runs, which tables, programs and devices" },
	{ "dump", command_dump, "the loaded programs, annotated by rule" },
	{ "stop", command_stop, "end the processes; the rules stay in force" },
};

static void usage(FILE *out)
{
	fputs("usage: ubpfilter COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].description);
	fputs("\n`ubpfilter COMMAND --help` says more.\n", out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("ubpfilter: no command; see ubpfilter --help\n", stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("ubpfilter " UBPFILTER_VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "ubpfilter: no command \"%s\"; see ubpfilter --help\n", argv[1]);
	return EXIT_USAGE;
}
