/* SPDX-License-Identifier: GPL-2.0-only */
/* What is loaded and attached where, as text for people. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "kernel_table.h"

static bool link_is_pinned(const struct netns *netns, uint32_t ifindex, const char *kind)
{
	char path[STATE_PATH_SIZE];

	state_pin_path(netns, path, "links/%" PRIu32 "-%s", ifindex, kind);
	return !access(path, F_OK);
}

/* Filters on a clsact qdisc are no links: they are where no XDP link is, and always at egress. */
static void write_links(const struct netns *netns, uint32_t ifindex, FILE *out)
{
	bool filters = netns->loader->tc == TC_CLSACT;
	bool xdp = link_is_pinned(netns, ifindex, "xdp");

	if (xdp)
		fputs(" xdp", out);
	if ((filters && !xdp) || link_is_pinned(netns, ifindex, "ingress"))
		fputs(" tc-ingress", out);
	if (filters || link_is_pinned(netns, ifindex, "egress"))
		fputs(" tc-egress", out);
	if (filters)
		fputs(" (clsact)", out);
}

static void write_device(const struct netns *netns, uint32_t ifindex, const struct device *device,
			 void *data)
{
	FILE *out = data;

	fprintf(out, "    device %.*s:", IFACE_NAME_SIZE, (const char *)device->name);
	write_links(netns, ifindex, out);
	if (device->flags & DEVICE_HAS_MASTER)
		fputs(" (judged at its master)", out);
	if (device->vrf)
		fputs(" (a port of a VRF: judged here)", out);
	if (device->ipv6_fib == IPV6_FIB_UNKNOWN)
		fputs(" (IPv6: what is not for this host is dropped: net.ipv6.conf.all.forwarding "
		      "is on, the device's own is off)",
		      out);
	fputc('\n', out);
}

static void write_reason(const struct netns *netns, enum table_family family, FILE *out)
{
	char reason[MESSAGE_SIZE];

	netns_reason(netns, family, reason, sizeof(reason));
	fprintf(out, "the kernel's %s: %s", kernel_table_name(family), reason);
	if (generation_has_early(netns, family, netns_generation(netns, family)))
		fputs("; BPF drops early, programs:", out);
}

static void write_bpf(const struct netns *netns, enum table_family family, uint64_t number,
		      FILE *out)
{
	uint32_t targets = generation_targets(netns, family, number);

	fputs("BPF", out);
	if (targets)
		fprintf(out, ", targets of %" PRIu32 " rule%s executed by the kernel's %s", targets,
			targets == 1 ? "" : "s", kernel_table_name(family));
	fputs(", programs:", out);
}

static void write_table(const struct netns *netns, enum table_family family, FILE *out)
{
	uint64_t number = netns_generation(netns, family);

	if (!number)
		return;
	fprintf(out, "    table filter (%s): generation %" PRIu64 ", enforced by ",
		family == TABLE_IPV4 ? "IPv4" : "IPv6", number);
	if (generation_is_kernels(netns, family, number))
		write_reason(netns, family, out);
	else
		write_bpf(netns, family, number, out);
	for (unsigned i = 0; i < ENTRY_COUNT; i++)
		if (generation_has(netns, family, number, (enum entry_point)i))
			fprintf(out, " %s", entry_program_names[i]);
	fputc('\n', out);
}

static void write_netfilter(const struct netns *netns, FILE *out)
{
	if (netfilter_is_attached(netns))
		fputs("    netfilter hooks: local-in forward local-out\n", out);
}

static void write_conntrack(const struct netns *netns, FILE *out)
{
	if (!conntrack_is_awake(netns))
		return;
	fprintf(out, "    conntrack: kept awake by the nf_tables table ubpfilter (%s%s%s)\n",
		netns->awake[TABLE_IPV4] ? "IPv4" : "",
		netns->awake[TABLE_IPV4] && netns->awake[TABLE_IPV6] ? ", " : "",
		netns->awake[TABLE_IPV6] ? "IPv6" : "");
}

static bool drops_early(const struct netns *netns)
{
	bool early = false;

	for (unsigned i = 0; i < TABLE_FAMILIES; i++) {
		enum table_family family = (enum table_family)i;
		uint64_t number = netns_generation(netns, family);

		early |= generation_has(netns, family, number, ENTRY_XDP) ||
			 generation_has(netns, family, number, ENTRY_INGRESS);
	}
	return early;
}

/* What keeps packets from being judged where they are first seen, or as they will be seen later. */
static void write_others(const struct netns *netns, FILE *out)
{
	if (!netfilter_is_attached(netns))
		others_write(netns, OTHERS_WITH_NAT, out);
	else if (drops_early(netns))
		others_write(netns, OTHERS_BEFORE_US, out);
}

int loader_status(const struct loader *loader, FILE *out)
{
	fprintf(out, "hook: %s\n", hook_text(loader->config.hook));
	for (size_t i = 0; i < loader->netns_count; i++) {
		const struct netns *netns = loader->netns[i];

		if (!netns->loaded)
			continue;
		fprintf(out, "namespace %016" PRIx64 "%s\n", netns->cookie,
			netns->cookie == loader->own_cookie ? " (the host's)" : "");
		for (unsigned family = 0; family < TABLE_FAMILIES; family++)
			write_table(netns, (enum table_family)family, out);
		write_netfilter(netns, out);
		write_conntrack(netns, out);
		write_others(netns, out);
		device_map_each(netns, write_device, out);
	}
	return ferror(out) ? -EIO : 0;
}
