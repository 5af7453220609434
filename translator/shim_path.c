/* SPDX-License-Identifier: GPL-2.0-only */
#include "shim_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHIM "libubpfilter.so"

/* Where the shim is when it does not lie beside this program. */
#ifndef UBPFILTER_LIBDIR
#define UBPFILTER_LIBDIR "/usr/local/lib/ubpfilter"
#endif

int shim_path(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof("/" SHIM));
	char *slash;

	if (length > 0) {
		path[length] = '\0';
		slash = strrchr(path, '/');
		strcpy(slash, "/" SHIM);
		if (access(path, R_OK) == 0)
			return 0;
	}
	strcpy(path, UBPFILTER_LIBDIR "/" SHIM);
	return access(path, R_OK) == 0 ? 0 : -errno;
}
