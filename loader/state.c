/* SPDX-License-Identifier: GPL-2.0-only */
/* What survives a crash: pins in a bpffs of our own, blobs beside them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "../common/io.h"
#include "internal.h"

const char *family_name(enum table_family family)
{
	return family == TABLE_IPV4 ? "ipv4" : "ipv6";
}

static int make_folder(const char *path, struct message *message)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return message_set(message, -errno, "cannot make the folder %s: %m", path);
	return 0;
}

static int mount_bpffs(const char *path, struct message *message)
{
	struct statfs status;

	if (statfs(path, &status))
		return message_set(message, -errno, "cannot look at %s: %m", path);
	if (status.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return message_set(message, -errno, "cannot mount a bpffs at %s: %m", path);
	return 0;
}

int state_open(const char *rundir, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int error;

	snprintf(path, sizeof(path), "%s/netns", rundir);
	error = make_folder(path, message);
	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/bpf", rundir);
	error = make_folder(path, message);
	return error ? error : mount_bpffs(path, message);
}

/* rundir takes at most half of a path; what is appended is short and our own. */
static void path_format(char *path, const struct netns *netns, const char *kind, const char *format,
			va_list arguments)
{
	int length = snprintf(path, STATE_PATH_SIZE, "%s/%s/%016" PRIx64 "%s",
			      netns->loader->rundir, kind, netns->cookie, *format ? "/" : "");

	vsnprintf(path + length, STATE_PATH_SIZE - (size_t)length, format, arguments);
}

void state_pin_path(const struct netns *netns, char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	path_format(path, netns, "bpf", format, arguments);
	va_end(arguments);
}

void state_blob_path(const struct netns *netns, char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	path_format(path, netns, "netns", format, arguments);
	va_end(arguments);
}

int state_make_folders(const struct netns *netns, struct message *message)
{
	char path[STATE_PATH_SIZE];
	int error;

	state_blob_path(netns, path, "%s", "");
	error = make_folder(path, message);
	if (error)
		return error;
	state_pin_path(netns, path, "%s", "");
	error = make_folder(path, message);
	if (error)
		return error;
	state_pin_path(netns, path, "links");
	return make_folder(path, message);
}

/* --- removing -------------------------------------------------------------------------------- */

static int remove_entries(int folder, unsigned depth);

static int remove_entry(int folder, const char *name, unsigned depth)
{
	int error = 0, child;

	if (!unlinkat(folder, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (child < 0)
		return -errno;
	if (depth)
		error = remove_entries(child, depth - 1); /* closes child */
	else
		close(child);
	if (!error && unlinkat(folder, name, AT_REMOVEDIR) && errno != ENOENT)
		error = -errno;
	return error;
}

/* @folder is closed. */
static int remove_entries(int folder, unsigned depth)
{
	DIR *entries = fdopendir(folder);
	struct dirent *entry;
	int error = 0;

	if (!entries) {
		error = -errno;
		close(folder);
		return error;
	}
	while ((entry = readdir(entries))) {
		int failed;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		failed = remove_entry(folder, entry->d_name, depth);
		if (failed && !error)
			error = failed;
	}
	closedir(entries);
	return error;
}

int remove_tree(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int error;

	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	error = remove_entries(folder, 2);
	if (!error && rmdir(path) && errno != ENOENT)
		error = -errno;
	return error;
}

int state_remove(const struct netns *netns)
{
	char path[STATE_PATH_SIZE];
	int error, later;

	state_pin_path(netns, path, "%s", "");
	error = remove_tree(path);
	state_blob_path(netns, path, "%s", "");
	later = remove_tree(path);
	return error ? error : later;
}

/* --- blobs ----------------------------------------------------------------------------------- */

int state_write_blob(const struct netns *netns, const char *name, const void *data, size_t size)
{
	char path[STATE_PATH_SIZE], temporary[STATE_PATH_SIZE];
	int error = 0, fd;

	state_blob_path(netns, path, "%s", name);
	state_blob_path(netns, temporary, "%s.new", name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	error = io_write(fd, data, size);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(temporary, path))
		error = -errno;
	if (error)
		unlink(temporary);
	return error;
}

int netns_blob(const struct netns *netns, enum table_family family, void **blob, size_t *size,
	       struct message *message)
{
	uint64_t number = netns_generation(netns, family);
	_cleanup_free_ unsigned char *data = NULL;
	_cleanup_close_ int fd = -1;
	char path[STATE_PATH_SIZE];
	struct stat status;
	int error;

	if (!number)
		return -ENOENT;
	state_blob_path(netns, path, "%s-%" PRIu64, family_name(family), number);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status))
		return message_set(message, -errno, "cannot read the table in %s: %m", path);
	data = malloc((size_t)status.st_size + 1);
	if (!data)
		return -ENOMEM;
	error = io_read(fd, data, (size_t)status.st_size);
	if (error)
		return message_set(message, error, "cannot read the table in %s: %s", path,
				   strerror(-error));
	*size = (size_t)status.st_size;
	*blob = TAKE_PTR(data);
	return 0;
}

/* --- collection ------------------------------------------------------------------------------ */

/*
 * "<family>-<number>" with another number than the one in force, or a blob's temporary name. A
 * record of a hand-over or of targets stays until that is settled.
 */
static bool is_stale(const char *name, const char *family, uint64_t active)
{
	size_t length = strlen(family);
	uint64_t number;
	char *end;

	if (strncmp(name, family, length) || name[length] != '-')
		return false;
	number = strtoull(name + length + 1, &end, 10);
	return strcmp(end, RECORD_SUFFIX) && strcmp(end, TARGETS_SUFFIX) &&
	       (number != active || *end);
}

static void collect_folder(const char *path, const char *family, uint64_t active)
{
	DIR *entries = opendir(path);
	char stale[STATE_PATH_SIZE];
	struct dirent *entry;

	while (entries && (entry = readdir(entries))) {
		if (!is_stale(entry->d_name, family, active))
			continue;
		if (snprintf(stale, sizeof(stale), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(stale))
			continue;
		if (unlink(stale))
			remove_tree(stale);
	}
	if (entries)
		closedir(entries);
}

void state_collect(const struct netns *netns, enum table_family family, uint64_t active)
{
	char path[STATE_PATH_SIZE], needs[32];

	state_pin_path(netns, path, "%s", "");
	collect_folder(path, family_name(family), active);
	state_blob_path(netns, path, "%s", "");
	collect_folder(path, family_name(family), active);
	snprintf(needs, sizeof(needs), CONNTRACK_NEED_PREFIX, family_name(family));
	collect_folder(path, needs, active);
}
