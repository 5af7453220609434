/* SPDX-License-Identifier: GPL-2.0-only */
#include "unsupported.h"

#include <string.h>

#include "../common/cleanup.h"

static const struct unsupported left[] = {
	{ "recent", "its lists are shown and changed in /proc/net/xt_recent, and rules of other "
		    "tables share them" },
	{ "connlimit", "the kernel counts connections in lists that programs cannot read" },
	{ "set", "the kernel tells programs nothing of its ipsets" },
	{ "string", "its text may be anywhere in a packet" },
	{ "socket", "it looks for sockets that may be anywhere in the kernel's tables" },
	{ "rpfilter", "no rule of the filter table may have it" },
	{ "policy", "what it reads of IPsec could not be held against a kernel yet" },
	{ "bpf", "programs do not run the user's own on a packet" },
	{ "u32", "it may read the whole packet, by steps that packets decide" },
	{ "NFQUEUE", "user space may have the packet go through the table once more" },
	{ "TCPMSS", "later rules see and count the packet that it changed" },
	{ "SYNPROXY", "what becomes of the packet, it decides itself" },
	{ "CLASSIFY", "the kernel takes it in FORWARD and OUTPUT only" },
};

const struct unsupported *unsupported_at(size_t index)
{
	return index < ARRAY_SIZE(left) ? &left[index] : NULL;
}

const char *unsupported_reason(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (strcmp(left[i].name, name) == 0)
			return left[i].reason;
	return NULL;
}
