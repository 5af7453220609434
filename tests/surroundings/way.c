// SPDX-License-Identifier: GPL-2.0-only
// Run a program of way.bpf.o on a frame that comes in by a device of this namespace (lo unless
// named), beside so many programs at its TC hook, with the addresses and ports of a UDP packet,
// and say what it found:
//	way OBJECT PROGRAM [DEVICE [COUNT [SOURCE PORT DESTINATION PORT]]]
// or what that costs, or which number it returns:
//	way OBJECT PROGRAM cost|number
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46) // Linux 6.6

static const char *const ways[] = { "shared", "tracked", "clear" };

static int program_of(const char *file, const char *name)
{
	struct bpf_object *object = bpf_object__open(file);

	if (!object || bpf_object__load(object))
		return -1;
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

// A program of its own each: the kernel takes none twice.
static int attach(const char *file, const char *name, unsigned ifindex)
{
	int program = program_of(file, name);

	return bpf_link_create(program, (int)ifindex, ATTACH_TCX_INGRESS, NULL);
}

static void address(unsigned char *frame, int end, char **argument)
{
	unsigned short port = htons((unsigned short)atoi(argument[1]));

	inet_pton(AF_INET, argument[0], frame + 26 + 4 * end);
	memcpy(frame + 34 + 2 * end, &port, sizeof(port));
}

int main(int argc, char **argv)
{
	unsigned char frame[64] = { [12] = 8, [14] = 0x45 };
	struct __sk_buff context = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	int program;

	if (argc < 3)
		return 2;
	program = program_of(argv[1], argv[2]);
	if (argc > 3 && !strcmp(argv[3], "cost")) {
		options.repeat = 1000000;
	} else if (argc > 3 && strcmp(argv[3], "number") != 0) {
		context.ifindex = if_nametoindex(argv[3]);
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	for (int i = argc > 4 ? atoi(argv[4]) : 0; i > 0; i--)
		if (attach(argv[1], argv[2], context.ifindex) < 0) {
			perror("way: attach");
			return 1;
		}
	for (int end = 0; end < 2 && argc == 9; end++)
		address(frame, end, argv + 5 + 2 * end);
	if (program < 0 || bpf_prog_test_run_opts(program, &options)) {
		perror("way");
		return 1;
	}
	if (options.repeat > 1)
		printf("%u\n", options.duration); // nanoseconds
	else if (argc > 3 && !strcmp(argv[3], "number"))
		printf("%d\n", (int)options.retval);
	else
		puts(options.retval < 3 ? ways[options.retval] : "?");
	return 0;
}
