/* SPDX-License-Identifier: GPL-2.0-only */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../common/cleanup.h"

/* User namespaces nest 32 deep at most (kernel/user_namespace.c). */
#define NESTING_MAX 33

static bool has_net_admin(const struct credentials *credentials)
{
	return credentials->effective & (UINT64_C(1) << CAP_NET_ADMIN);
}

static int read_status(struct credentials *credentials)
{
	_cleanup_fclose_ FILE *file = NULL;
	bool have_uid = false, have_effective = false;
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/%d/status", credentials->pid);
	file = fopen(path, "re");
	if (!file)
		return -EPERM;
	while (fgets(line, sizeof(line), file)) {
		have_uid |= sscanf(line, "Uid: %*u %u", &credentials->euid) == 1;
		have_effective |= sscanf(line, "CapEff: %" SCNx64, &credentials->effective) == 1;
	}
	return have_uid && have_effective ? 0 : -EPERM;
}

static int namespace_number(const char *path, uint64_t *inode)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	*inode = status.st_ino;
	return 0;
}

int credentials_read(struct credentials *credentials, pid_t pid)
{
	_cleanup_close_ int pidfd = -1;
	struct credentials now = { .pid = pid };
	char path[64];

	/* 0: a process outside our pid namespace, of which we can learn nothing. */
	if (pid <= 0)
		return -EPERM;
	now.pidfd = pidfd = pidfd_open(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (pidfd < 0 || read_status(&now) < 0 || namespace_number(path, &now.user_namespace) < 0 ||
	    !credentials_alive(&now) || !has_net_admin(&now))
		return -EPERM;
	TAKE_FD(pidfd);
	*credentials = now;
	return 0;
}

void credentials_release(struct credentials *credentials)
{
	if (credentials->pidfd >= 0)
		close(credentials->pidfd);
	credentials->pidfd = -1;
}

bool credentials_alive(const struct credentials *credentials)
{
	struct pollfd process = { .fd = credentials->pidfd, .events = POLLIN };

	return poll(&process, 1, 0) == 0;
}

int netns_inode(int fd, uint64_t *inode)
{
	struct statfs filesystem;
	struct stat status;

	/* Only a file of nsfs may be asked for its type: elsewhere the number means other things.
	   Its name does not tell: through /run/netns it is that path. */
	if (fstatfs(fd, &filesystem) < 0 || filesystem.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &status) < 0)
		return -EINVAL;
	*inode = status.st_ino;
	return 0;
}

/* Mirrors security/commoncap.c: cap_capable() for CAP_NET_ADMIN over the namespace @fd. */
static bool capable(const struct credentials *credentials, int fd)
{
	_cleanup_close_ int space = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	for (int level = 0; level < NESTING_MAX; level++) {
		_cleanup_close_ int parent = -1;
		struct stat here, above;
		uid_t owner;

		if (space < 0 || fstat(space, &here) < 0)
			return false;
		if (here.st_ino == credentials->user_namespace)
			return has_net_admin(credentials);
		/* Fails at our own user namespace: nothing above it is visible to us. */
		parent = ioctl(space, NS_GET_PARENT);
		if (parent < 0 || fstat(parent, &above) < 0)
			return false;
		if (above.st_ino == credentials->user_namespace &&
		    ioctl(space, NS_GET_OWNER_UID, &owner) == 0 && owner == credentials->euid)
			return true;
		close(space);
		space = TAKE_FD(parent);
	}
	return false;
}

bool credentials_over_netns(const struct credentials *credentials, int netns_fd)
{
	_cleanup_close_ int owner = ioctl(netns_fd, NS_GET_USERNS);

	return owner >= 0 && capable(credentials, owner);
}

bool credentials_over_us(const struct credentials *credentials)
{
	uint64_t ours;

	return namespace_number("/proc/self/ns/user", &ours) == 0 &&
	       ours == credentials->user_namespace && has_net_admin(credentials);
}
