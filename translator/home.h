/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter table of one network namespace and family, for the time of a request: whoever enforces
 * it, the socket options of iptables find it here.
 */
#ifndef UBPFILTER_HOME_H
#define UBPFILTER_HOME_H

#include "../iptables-compat/sockopt.h"
#include "../loader/kernel_table.h"
#include "../loader/loader.h"
#include "table_cache.h"

struct home {
	struct table_home base; /* first: the callbacks get a pointer to it */
	struct loader *loader;
	struct table_cache *cache;
	struct netns *netns;
	struct kernel_table kernel; /* the kernel's own, of the same namespace and family */
	int netns_fd;
	enum family family;
	enum table_family slot;
};

/* What home_open() is told. */
struct home_options {
	struct loader *loader;
	struct table_cache *cache;
	bool strict; /* what BPF does not do is refused, not handed over */
};

/**
 * home_open() - the table behind a socket. Owns nothing.
 * @netns_fd: stays the caller's, and open as long as @home is used.
 * @level: SOL_IP or SOL_IPV6; -ENOPROTOOPT for another.
 */
int home_open(const struct home_options *options, int netns_fd, uint32_t level, struct home *home,
	      struct message *message);

/** home_get(), home_set() - answer a socket option, as sockopt_get() and sockopt_set(). */
int home_get(struct home *home, int option, const void *input, size_t input_len, void **output,
	     size_t *output_len, struct message *message);
int home_set(struct home *home, int option, const void *input, size_t input_len, void **output,
	     size_t *output_len, struct message *message);

#endif
