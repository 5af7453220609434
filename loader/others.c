/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who else has hooks in a namespace that packets pass on their way in before they come to ours, for
 * people: what bpf/surroundings.h asks for each packet, by name.
 */
#include "internal.h" /* first: the C library's network headers must come before the kernel's */

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>

struct listing {
	FILE *out;
	enum others which;
};

static const char *const hook_names[] = {
	[NF_INET_PRE_ROUTING] = "prerouting",	[NF_INET_LOCAL_IN] = "input",
	[NF_INET_FORWARD] = "forward",		[NF_INET_LOCAL_OUT] = "output",
	[NF_INET_POST_ROUTING] = "postrouting",
};

static const char *label(const struct listing *listing)
{
	return listing->which == OTHERS_WITH_NAT ? "NAT" : "early drops wait for";
}

static const char *family_of(uint32_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	default:
		return NULL;
	}
}

static bool is_before_ours(uint32_t hook, int32_t priority)
{
	return hook == NF_INET_PRE_ROUTING ||
	       ((hook == NF_INET_LOCAL_IN || hook == NF_INET_FORWARD) &&
		priority < NF_IP_PRI_FILTER);
}

static bool is_wanted(const struct listing *listing, const struct nftnl_chain *chain)
{
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);

	if (!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		return false;
	if (type && !strcmp(type, "nat")) /* is undone at prerouting, wherever it is done */
		return true;
	return listing->which == OTHERS_BEFORE_US &&
	       is_before_ours(nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
			      nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO));
}

static void write_chain(const struct listing *listing, const struct nftnl_chain *chain)
{
	uint32_t hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
	const char *family = family_of(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY));
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);

	if (family && table && name && hook < ARRAY_SIZE(hook_names))
		fprintf(listing->out, "    %s: nf_tables %s %s %s, %s %d\n", label(listing), family,
			table, name, hook_names[hook],
			nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO));
}

static int note_chain(const struct nlmsghdr *header, void *data)
{
	const struct listing *listing = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		return MNL_CB_ERROR;
	if (!nftnl_chain_nlmsg_parse(header, chain) && is_wanted(listing, chain))
		write_chain(listing, chain);
	nftnl_chain_free(chain);
	return MNL_CB_OK;
}

/* Of the kernel's tables those that stand before the filter table, where somebody asked for them.
 */
static void write_kernel_tables(const struct listing *listing, const char *path, const char *family)
{
	static const char *const before[] = { "raw", "mangle", "nat" };
	_cleanup_fclose_ FILE *names = fopen(path, "re");
	char name[64];

	while (names && fgets(name, sizeof(name), names)) {
		name[strcspn(name, "\n")] = '\0';
		for (size_t i = listing->which == OTHERS_WITH_NAT ? 2 : 0; i < ARRAY_SIZE(before);
		     i++)
			if (!strcmp(name, before[i]))
				fprintf(listing->out, "    %s: the kernel's table %s (%s)\n",
					label(listing), name, family);
	}
}

int others_write(const struct netns *netns, enum others which, FILE *out)
{
	_cleanup_close_ int netns_fd = netns_find(netns->loader, netns->cookie);
	struct listing listing = { out, which };
	char buffer[256];
	struct nlmsghdr *request =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP, 0);
	int error;

	if (netns_fd < 0)
		return netns_fd;
	error = netns_enter(netns->loader, netns_fd, NULL);
	if (error)
		return error;
	netlink_ask(NETLINK_NETFILTER, request, note_chain, &listing);
	write_kernel_tables(&listing, "/proc/thread-self/net/ip_tables_names", "IPv4");
	write_kernel_tables(&listing, "/proc/thread-self/net/ip6_tables_names", "IPv6");
	netns_leave(netns->loader);
	return 0;
}
