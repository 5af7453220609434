// SPDX-License-Identifier: GPL-2.0-only
// Netfilter links that accept everything, one a hook and family, pinned as FOLDER/netfilter-N:
// netfilter_links FOLDER
#include <bpf/bpf.h>
#include <linux/netfilter.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAM_TYPE_NETFILTER 32
#define ATTACH_TYPE_NETFILTER  45

// union bpf_attr, BPF_LINK_CREATE
struct netfilter_link {
	uint32_t program, target, attach_type, flags;
	uint32_t family, hook;
	int32_t priority;
	uint32_t netfilter_flags;
};

int main(int argc, char **argv)
{
	const struct bpf_insn accept[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_TYPE_NETFILTER);
	int program = bpf_prog_load(PROGRAM_TYPE_NETFILTER, "accept", "GPL", accept, 2, &options);
	const uint32_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	const uint32_t hooks[] = { NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT };
	char path[4096];

	if (argc != 2 || program < 0)
		return 1;
	for (unsigned i = 0; i < 6; i++) {
		struct netfilter_link link = {
			.program = (uint32_t)program,
			.attach_type = ATTACH_TYPE_NETFILTER,
			.family = families[i % 2],
			.hook = hooks[i / 2],
		};
		long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));

		snprintf(path, sizeof(path), "%s/netfilter-%u", argv[1], i);
		if (fd < 0 || bpf_obj_pin((int)fd, path))
			return 1;
	}
	return 0;
}
