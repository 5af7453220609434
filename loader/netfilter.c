/* SPDX-License-Identifier: GPL-2.0-only */
/* The dispatcher at a namespace's netfilter hooks: BPF links that Linux 6.4 brought. */
#include "internal.h" /* first: the C library's network headers must come before the kernel's */

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>
#include <sys/syscall.h>

/* enum bpf_prog_type and bpf_attach_type of Linux 6.4; older headers do not have them. */
#define PROGRAM_NETFILTER ((enum bpf_prog_type)32)
#define ATTACH_NETFILTER  ((enum bpf_attach_type)45)

/* union bpf_attr for BPF_LINK_CREATE: libbpf 1.1 has no call that fills in the last four. */
struct link_attributes {
	uint32_t program_fd;
	uint32_t target_fd; /* 0: the caller's network namespace is meant */
	uint32_t attach_type;
	uint32_t flags;
	uint32_t family; /* NFPROTO_* */
	uint32_t hook;	 /* enum nf_inet_hooks */
	int32_t priority;
	uint32_t netfilter_flags;
};

_Static_assert(sizeof(struct link_attributes) == 32, "layout of union bpf_attr");

static const struct {
	enum nf_inet_hooks hook;
	const char *name; /* of the pinned link */
} hooks[] = {
	{ NF_INET_LOCAL_IN, "local_in" },
	{ NF_INET_FORWARD, "forward" },
	{ NF_INET_LOCAL_OUT, "local_out" },
};

bool netfilter_is_available(struct loader *loader)
{
	static const struct bpf_insn accept[] = {
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_NETFILTER);

	if (loader->netfilter == NETFILTER_UNKNOWN) {
		_cleanup_close_ int fd = bpf_prog_load(PROGRAM_NETFILTER, "probe", "GPL", accept,
						       ARRAY_SIZE(accept), &options);

		loader->netfilter =
			fd >= 0 && lifetime_is_visible(loader) ? NETFILTER_LINKS : NETFILTER_NONE;
	}
	return loader->netfilter == NETFILTER_LINKS;
}

void netfilter_program_set(struct bpf_program *program)
{
	bpf_program__set_type(program, PROGRAM_NETFILTER);
	bpf_program__set_expected_attach_type(program, ATTACH_NETFILTER);
}

static void link_path(const struct netns *netns, char *path, enum table_family family, size_t hook)
{
	state_pin_path(netns, path, "links/%s-%s", family_name(family), hooks[hook].name);
}

/* How many before the filter table's are tried; the kernel's next is destination NAT, at -100. */
#define PRIORITIES 8

static int link_create_at(int program, enum table_family family, enum nf_inet_hooks hook,
			  int32_t priority)
{
	struct link_attributes attributes = {
		.program_fd = (uint32_t)program,
		.attach_type = ATTACH_NETFILTER,
		.family = family == TABLE_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6,
		.hook = hook,
		.priority = priority,
	};
	int fd = (int)syscall(__NR_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes));

	return fd < 0 ? -errno : fd;
}

/*
 * Right before the kernel's filter table: what BPF judged, the kernel's table may then carry out.
 * The kernel gives a BPF program no priority that another hook has: the next one before it then.
 * The table's own will not do, even where it is free: of equals, who comes later stands first.
 */
static int link_create(int program, enum table_family family, enum nf_inet_hooks hook)
{
	int fd = -EBUSY;

	for (int32_t i = 1; i <= PRIORITIES && fd == -EBUSY; i++)
		fd = link_create_at(program, family, hook, NF_IP_PRI_FILTER - i);
	return fd;
}

static int link_make(const struct netns *netns, enum table_family family, size_t hook,
		     struct message *message)
{
	char path[STATE_PATH_SIZE];
	_cleanup_close_ int fd = -1;

	link_path(netns, path, family, hook);
	if (!access(path, F_OK))
		return 0;
	fd = link_create(netns->dispatcher[ENTRY_NETFILTER], family, hooks[hook].hook);
	if (fd < 0)
		return message_set(message, fd, "cannot attach to the netfilter hook %s (%s): %s",
				   hooks[hook].name, family_name(family), strerror(-fd));
	if (bpf_obj_pin(fd, path))
		return message_set(message, -errno, "cannot pin %s: %m", path);
	return 0;
}

int netfilter_attach(struct netns *netns, struct message *message)
{
	int error = 0;

	if (netns->cookie != netns->loader->own_cookie)
		lifetime_watch(netns->loader);
	for (unsigned family = 0; family < TABLE_FAMILIES && !error; family++)
		for (size_t hook = 0; hook < ARRAY_SIZE(hooks) && !error; hook++)
			error = link_make(netns, (enum table_family)family, hook, message);
	return error;
}

void netfilter_detach(struct netns *netns)
{
	char path[STATE_PATH_SIZE];

	for (unsigned family = 0; family < TABLE_FAMILIES; family++)
		for (size_t hook = 0; hook < ARRAY_SIZE(hooks); hook++) {
			link_path(netns, path, (enum table_family)family, hook);
			unlink(path);
		}
}

bool netfilter_is_attached(const struct netns *netns)
{
	char path[STATE_PATH_SIZE];

	link_path(netns, path, TABLE_IPV4, 0);
	return !access(path, F_OK);
}
