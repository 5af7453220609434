/* SPDX-License-Identifier: GPL-2.0-only */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define BACKLOG	       256
#define CLAIM_ATTEMPTS 1000 /* of 5 ms each: a supervisor ends within a second */

static int open_folder(const char *path, int *folder, struct message *message)
{
	_cleanup_close_ int fd = -1;
	struct stat status;

	if (path[0] != '/')
		return message_set(message, -EINVAL, "runtime folder %s: not an absolute path",
				   path);
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return message_set(message, -errno, "cannot make the runtime folder %s: %s", path,
				   strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return message_set(message, -errno, "cannot open the runtime folder %s: %s", path,
				   strerror(errno));
	if (status.st_uid != geteuid())
		return message_set(message, -EPERM, "runtime folder %s: belongs to user %u", path,
				   status.st_uid);
	if (fchmod(fd, 0711) < 0)
		return message_set(message, -errno, "cannot set the mode of %s: %s", path,
				   strerror(errno));
	*folder = TAKE_FD(fd);
	return 0;
}

static int socket_address(const char *path, struct sockaddr_un *address, struct message *message)
{
	int length;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/" SOCKET_NAME, path);
	if (length < 0 || (size_t)length >= sizeof(address->sun_path))
		return message_set(message, -ENAMETOOLONG,
				   "runtime folder %s: the path is too long for a socket", path);
	return 0;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* A full backlog (EAGAIN) is a listener too. */
	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			   errno == EAGAIN);
}

static int listen_at(const struct sockaddr_un *address, int *listen_fd, struct message *message)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return message_set(message, -errno, "cannot make a socket: %s", strerror(errno));
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return message_set(message, -errno, "cannot remove the old %s: %s",
				   address->sun_path, strerror(errno));
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    chmod(address->sun_path, 0666) < 0 || listen(fd, BACKLOG) < 0)
		return message_set(message, -errno, "cannot listen at %s: %s", address->sun_path,
				   strerror(errno));
	*listen_fd = TAKE_FD(fd);
	return 0;
}

/* The lock is the right to serve the folder; it goes with the process that holds it. */
static int take_lock(int lock_fd, const struct sockaddr_un *address, enum rundir_claim *claim)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (int i = 0; i < CLAIM_ATTEMPTS; i++) {
		if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0) {
			*claim = RUNDIR_OURS;
			return 0;
		}
		if (errno != EWOULDBLOCK)
			return -errno;
		if (somebody_listens(address)) {
			*claim = RUNDIR_SERVED;
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int rundir_claim(struct rundir *rundir, const char *path, int listen_fd, enum rundir_claim *claim,
		 struct message *message)
{
	_cleanup_close_ int folder = -1, lock = -1;
	struct sockaddr_un address;
	enum rundir_claim outcome = RUNDIR_SERVED;
	int error;

	error = open_folder(path, &folder, message);
	if (!error)
		error = socket_address(path, &address, message);
	if (error)
		return error;
	lock = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return message_set(message, -errno, "cannot open %s/lock: %s", path,
				   strerror(errno));
	error = take_lock(lock, &address, &outcome);
	if (error)
		return message_set(message, error, "cannot lock %s/lock: %s", path,
				   strerror(-error));
	if (outcome == RUNDIR_OURS) {
		bool ours = listen_fd < 0;

		if (ours)
			error = listen_at(&address, &listen_fd, message);
		if (error)
			return error;
		*rundir = (struct rundir){
			.path = path,
			.lock_fd = TAKE_FD(lock),
			.listen_fd = listen_fd,
			.own_socket = ours,
		};
	}
	*claim = outcome;
	return 0;
}

void rundir_unlink_socket(const struct rundir *rundir)
{
	struct sockaddr_un address;

	if (rundir->own_socket && socket_address(rundir->path, &address, NULL) == 0)
		unlink(address.sun_path);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Who lives in the host's namespaces: process 1, or, where a security policy hides that from us,
 * the kernel's own thread 2, which is in the namespaces that process 1 began in. In a container's
 * pid namespace 2 may be anybody, but only a kernel thread has no executable file.
 */
static const char *host_process(void)
{
	char path[2];

	if (access("/proc/1/ns/mnt", F_OK) == 0)
		return "/proc/1/ns";
	if (access("/proc/2/ns/mnt", F_OK) == 0 &&
	    readlink("/proc/2/exe", path, sizeof(path)) < 0 && errno == ENOENT)
		return "/proc/2/ns";
	return NULL;
}

/* Enter one namespace of the host; 1 when this process is in it already. */
static int enter(const char *host, const char *name, int type)
{
	char path[64], own[64];
	_cleanup_close_ int fd = -1;
	struct stat there, here;

	snprintf(path, sizeof(path), "%s/%s", host, name);
	snprintf(own, sizeof(own), "/proc/self/ns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &there) < 0 || stat(own, &here) < 0)
		return -errno;
	if (same_file(&there, &here))
		return 1;
	return setns(fd, type) < 0 ? -errno : 0;
}

int rundir_enter_host(int *caller_root, struct message *message)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *host = host_process();
	int mount, net;

	if (root < 0)
		return message_set(message, -errno, "cannot open /: %s", strerror(errno));
	if (!host)
		return message_set(message, -EPERM,
				   "cannot find the host's namespaces: /proc/1/ns: %s",
				   strerror(errno));
	net = enter(host, "net", CLONE_NEWNET);
	mount = net < 0 ? net : enter(host, "mnt", CLONE_NEWNS);
	if (mount < 0)
		return message_set(message, mount, "cannot enter the namespaces of %s: %s", host,
				   strerror(-mount));
	*caller_root = mount ? -1 : TAKE_FD(root);
	return 0;
}

int rundir_visible(const char *path, int caller_root, struct message *message)
{
	struct stat here, there;

	if (caller_root < 0)
		return 0;
	if (stat(path, &here) == 0 && fstatat(caller_root, path + 1, &there, 0) == 0 &&
	    same_file(&here, &there))
		return 0;
	return message_set(message, -ENOENT,
			   "runtime folder %s: a mount hides it from process 1, whose namespaces "
			   "ubpfilterd lives in; choose another UBPFILTER_RUNDIR",
			   path);
}
