/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scope-bound ownership: a variable marked _cleanup_*_ releases what it holds when it goes out of
 * scope; TAKE_PTR and TAKE_FD move what it holds to the caller instead.
 */
#ifndef UBPFILTER_CLEANUP_H
#define UBPFILTER_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define _cleanup_free_		__attribute__((cleanup(cleanup_free)))
#define _cleanup_close_		__attribute__((cleanup(cleanup_close)))
#define _cleanup_fclose_	__attribute__((cleanup(cleanup_fclose)))
#define _printf_(string, first) __attribute__((format(printf, string, first)))

#define TAKE_PTR(pointer)                               \
	({                                              \
		__typeof__(pointer) _taken = (pointer); \
		(pointer) = NULL;                       \
		_taken;                                 \
	})

#define TAKE_FD(fd)                \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
