/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions behind ours: the next library's, usually libc's. */
#ifndef UBPFILTER_REAL_H
#define UBPFILTER_REAL_H

#include <stdio.h>
#include <sys/socket.h>

typedef FILE *real_fopen_function(const char *restrict path, const char *restrict mode);

int real_getsockopt(int fd, int level, int option, void *restrict value,
		    socklen_t *restrict length);
int real_setsockopt(int fd, int level, int option, const void *value, socklen_t length);
int real_socket(int domain, int type, int protocol);
real_fopen_function *real_fopen(void);
real_fopen_function *real_fopen64(void);

#endif
