/* SPDX-License-Identifier: GPL-2.0-only */
#include "table_names.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/cleanup.h"
#include "../supervisor/client.h"

static const struct {
	const char *path;
	uint32_t level;
} files[] = {
	{ "/proc/net/ip_tables_names", SOL_IP },
	{ "/proc/net/ip6_tables_names", SOL_IPV6 },
};

bool table_names_level(const char *path, uint32_t *level)
{
	for (size_t i = 0; path && i < ARRAY_SIZE(files); i++) {
		if (strcmp(path, files[i].path) != 0)
			continue;
		*level = files[i].level;
		return true;
	}
	return false;
}

/* Copy the kernel's list but for `filter`, whose kernel table is not asked any more. */
static void copy_kernel_list(FILE *kernel, FILE *list)
{
	char line[64];

	while (fgets(line, sizeof(line), kernel))
		if (strcmp(line, "filter\n") != 0)
			fputs(line, list);
}

static void add_ours(uint32_t level, FILE *list)
{
	const struct client_request request = {
		.start = CLIENT_AUTOSTART,
		.kind = FRAME_CONTROL,
		.cmd = CONTROL_TABLES,
		.level = level,
		.netns_fd = -1,
	};
	_cleanup_free_ void *output = NULL;
	struct message message;
	size_t output_len;

	if (client_call(&request, &output, &output_len, &message) == 0)
		fwrite(output, 1, output_len, list);
}

FILE *table_names_open(uint32_t level, const char *path, const char *mode,
		       real_fopen_function *real)
{
	_cleanup_fclose_ FILE *kernel = real(path, mode), *list = NULL;
	_cleanup_close_ int fd = -1;

	/* Not allowed, or something other than to read: no business of ours. */
	if (!kernel && errno != ENOENT)
		return NULL;
	fd = memfd_create("table_names", strchr(mode, 'e') ? MFD_CLOEXEC : 0);
	list = fd < 0 ? NULL : fdopen(fd, "w+");
	if (!list)
		return NULL;
	TAKE_FD(fd);
	if (kernel)
		copy_kernel_list(kernel, list);
	add_ours(level, list);
	rewind(list);
	return TAKE_PTR(list);
}
