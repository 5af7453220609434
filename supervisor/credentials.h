/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who a client is, and what it may do: CAP_NET_ADMIN over the user namespace that owns a network
 * namespace, as the kernel's ns_capable() asks before it takes an iptables socket option.
 */
#ifndef UBPFILTER_CREDENTIALS_H
#define UBPFILTER_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct credentials {
	pid_t pid;
	int pidfd;
	uid_t euid;
	uint64_t effective;	 /* capabilities, a bit each */
	uint64_t user_namespace; /* inode number */
};

/**
 * credentials_read() - take down what a process may do now.
 * @peer: SO_PEERCRED of its connection: its process id, and the user it was when it connected.
 * Return: 0; -EPERM when the process cannot be looked at or has no CAP_NET_ADMIN anywhere.
 */
int credentials_read(struct credentials *credentials, const struct ucred *peer);

/** credentials_release() - forget the process. */
void credentials_release(struct credentials *credentials);

/** credentials_alive() - whether the process that was read still exists, so that its pid is its. */
bool credentials_alive(const struct credentials *credentials);

/**
 * netns_inode() - which network namespace a descriptor from a stranger is.
 * It may be anything, a file on a FUSE mount that never answers included, so only what the kernel
 * knows by itself is looked at.
 * Return: 0 or -EINVAL when it is no network namespace.
 */
int netns_inode(int fd, uint64_t *inode);

/** credentials_over_netns() - may it configure the network namespace behind @netns_fd? */
bool credentials_over_netns(const struct credentials *credentials, int netns_fd);

/** credentials_over_us() - does it have CAP_NET_ADMIN in this process's own user namespace? */
bool credentials_over_us(const struct credentials *credentials);

#endif
