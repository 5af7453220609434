/* SPDX-License-Identifier: GPL-2.0-only */
/* `ubpfilter translate`: an iptables-save file to a BPF object. No root, no kernel, no supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../common/io.h"
#include "../loader/loader.h"
#include "commands.h"
#include "offline_restore.h"

#define OBJECT_SUFFIX ".bpf.o"

static const char usage[] =
	"usage: ubpfilter translate [-4 | -6] [--hook xdp|tc|netfilter] [-o FILE] RULES\n"
	"\n"
	"Compiles the table \"filter\" of an iptables-save file (- is standard input) to a BPF\n"
	"object that `bpftool prog loadall` loads. The stock iptables-legacy-restore reads the\n"
	"rules; root, a kernel table and a supervisor are not needed. Other tables are skipped\n"
	"with a warning.\n"
	"\n"
	"  -4, -6           iptables rules (the default) or ip6tables rules\n"
	"  --hook HOOK      programs for xdp, tc or netfilter only (default: xdp and tc; bpftool\n"
	"                   knows netfilter programs from version 7.3 on)\n"
	"  -o, --output F   the object's name, default RULES" OBJECT_SUFFIX
	"; - is standard output\n"
	"  -h, --help       show this\n";

struct arguments {
	enum family family;
	unsigned stages; /* STAGE_BIT()s */
	const char *rules;
	const char *output; /* NULL: after the name of the rules */
};

static void warn_ignored(const char *table)
{
	fprintf(stderr,
		"ubpfilter translate: table \"%s\" is skipped: only \"filter\" becomes BPF\n",
		table);
}

static int parse_hook(const char *name, unsigned *stages)
{
	static const char *const hooks[STAGE_COUNT] = {
		[STAGE_XDP] = "xdp",
		[STAGE_TC] = "tc",
		[STAGE_NF] = "netfilter",
	};

	for (unsigned stage = 0; stage < STAGE_COUNT; stage++)
		if (strcmp(name, hooks[stage]) == 0) {
			*stages = STAGE_BIT(stage);
			return 0;
		}
	fprintf(stderr, "ubpfilter translate: hook \"%s\" is none of xdp, tc, netfilter\n", name);
	return EXIT_USAGE;
}

/* Return: 0; the exit status plus one. */
static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ipv4", no_argument, NULL, '4' },
		{ "ipv6", no_argument, NULL, '6' },
		{ "hook", required_argument, NULL, 'k' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option;

	*arguments = (struct arguments){
		.family = FAMILY_IPV4,
		.stages = STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC),
	};
	while ((option = getopt_long(argc, argv, "46ho:", options, NULL)) != -1) {
		switch (option) {
		case '4':
			arguments->family = FAMILY_IPV4;
			break;
		case '6':
			arguments->family = FAMILY_IPV6;
			break;
		case 'k':
			if (parse_hook(optarg, &arguments->stages))
				return EXIT_USAGE + 1;
			break;
		case 'o':
			arguments->output = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS + 1;
		default:
			return EXIT_USAGE + 1;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "ubpfilter translate: %s%s\n",
			optind < argc ? "unexpected argument: " : "no file of rules",
			optind < argc ? argv[optind + 1] : "");
		return EXIT_USAGE + 1;
	}
	arguments->rules = argv[optind];
	if (!arguments->output && strcmp(arguments->rules, "-") == 0) {
		fputs("ubpfilter translate: rules from standard input need -o FILE\n", stderr);
		return EXIT_USAGE + 1;
	}
	return 0;
}

static int write_output(const char *path, const struct object *object, struct message *message)
{
	_cleanup_close_ int fd = -1;
	int error;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return message_set(message, -errno, "cannot open %s: %s", path, strerror(errno));
	error = io_write(fd, object->data, object->size);
	if (!error && close(TAKE_FD(fd)) < 0)
		error = -errno;
	return error ? message_set(message, error, "cannot write %s: %s", path, strerror(-error))
		     : 0;
}

static int write_object(const struct arguments *arguments, const struct object *object,
			struct message *message)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s%s", arguments->output ? arguments->output : arguments->rules,
		     arguments->output ? "" : OBJECT_SUFFIX) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return write_output(path, object, message);
}

static int compile_table(const struct arguments *arguments, const struct table *table,
			 struct object *linked, struct message *message)
{
	const struct compile_options options = { .stages = arguments->stages };
	struct object compiled = {};
	int error = compile(table, &options, &compiled, message);

	if (error)
		return error;
	error = link_object(&compiled, arguments->family, arguments->stages, linked, message);
	object_free(&compiled);
	return error;
}

static int translate(const struct arguments *arguments, struct message *message)
{
	struct object linked = {};
	struct table *table = NULL;
	int error = rules_table(arguments->family, DEMAND_SUPPORTED, arguments->rules, warn_ignored,
				&table, NULL, message);

	if (!error)
		error = compile_table(arguments, table, &linked, message);
	table_free(table);
	if (!error)
		error = write_object(arguments, &linked, message);
	object_free(&linked);
	return error;
}

int command_translate(int argc, char **argv)
{
	struct arguments arguments;
	struct message message = {};
	int status = parse_arguments(&arguments, argc, argv);
	int error;

	if (status)
		return status - 1;
	error = translate(&arguments, &message);
	if (!error)
		return EXIT_SUCCESS;
	/* silent where iptables-restore has spoken */
	if (message.text[0] || error != -EINVAL)
		fprintf(stderr, "ubpfilter translate: %s\n",
			message.text[0] ? message.text : strerror(-error));
	return EXIT_FAILURE;
}
