/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Offline mode, for `ubpfilter translate`: no supervisor, no kernel table, no privileges. With
 * UBPFILTER_OFFLINE=N in the environment, descriptor N is a file that holds, as the translator
 * wrote them, the answers to GET_INFO and GET_ENTRIES, one behind the other; the argument of
 * SET_REPLACE is appended to it. Tables stay bytes here too.
 */
#ifndef UBPFILTER_OFFLINE_H
#define UBPFILTER_OFFLINE_H

#include <stdbool.h>
#include <sys/socket.h>

#define OFFLINE_VARIABLE "UBPFILTER_OFFLINE"

/** offline() - whether this process works offline. */
bool offline(void);

/**
 * offline_socket() - in the place of iptables's raw socket, one that needs no privileges.
 * @type: what the program asked for; its flags are kept.
 */
int offline_socket(int type);

/**
 * offline_getsockopt(), offline_setsockopt() - as the system calls, for an iptables option of
 * either family. A match or target of any revision is said to be known: what BPF does not do, the
 * compiler names with its rule.
 */
int offline_getsockopt(int option, void *value, socklen_t *length);
int offline_setsockopt(int option, const void *value, socklen_t length);

#endif
