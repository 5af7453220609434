/* SPDX-License-Identifier: GPL-2.0-only */
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/cleanup.h"

/* User namespaces nest 32 deep at most (kernel/user_namespace.c). */
#define NESTING_MAX 33

static bool has_net_admin(const struct credentials *credentials)
{
	return credentials->effective & (UINT64_C(1) << CAP_NET_ADMIN);
}

static int read_capabilities(pid_t pid, uint64_t *effective)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = pid,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return 0;
}

static int namespace_number(const char *path, uint64_t *inode)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	*inode = status.st_ino;
	return 0;
}

int credentials_read(struct credentials *credentials, const struct ucred *peer)
{
	_cleanup_close_ int pidfd = -1;
	struct credentials now = { .pid = peer->pid, .euid = peer->uid };
	char path[64];

	/* 0: a process outside our pid namespace, of which we can learn nothing. */
	if (peer->pid <= 0)
		return -EPERM;
	now.pidfd = pidfd = pidfd_open(peer->pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", peer->pid);
	if (pidfd < 0 || read_capabilities(peer->pid, &now.effective) < 0 ||
	    namespace_number(path, &now.user_namespace) < 0 || !credentials_alive(&now) ||
	    !has_net_admin(&now))
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

static bool same_device(const struct statx *a, const struct statx *b)
{
	return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

int netns_inode(int fd, uint64_t *inode)
{
	const int cached = AT_STATX_DONT_SYNC; /* a FUSE server is not asked, and cannot delay us */
	struct statx own, file;

	/* Only a file of nsfs may be asked for its type: elsewhere the number means other things.
	   Its name does not tell: through /run/netns it is that path. */
	if (statx(AT_FDCWD, "/proc/self/ns/net", cached, STATX_INO, &own) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH | cached, STATX_INO, &file) < 0 ||
	    !same_device(&own, &file) || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	*inode = file.stx_ino;
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
