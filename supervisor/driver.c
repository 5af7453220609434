/* SPDX-License-Identifier: GPL-2.0-only */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../common/io.h"

/*
 * Why a private tmpfs and not a sealed memfd: a process that is executed from a file in it is named
 * after that file, whatever the image is, and vm.memfd_noexec does not forbid it. What a memfd's
 * seals would give is had otherwise:
 *
 * - exec(2) fails with ETXTBSY while anybody can still write the file, and a descriptor for writing
 *   may live on in any child that another thread happens to fork. So the file is written by a
 *   process of its own that has ended before the image counts as loaded: its descriptor never
 *   exists where others fork.
 * - The mount is then made read-only, which the kernel refuses (EBUSY) as long as there is a
 *   writer: from there on no process, root included, can open the running image for writing.
 * - The mount is attached nowhere, so it needs no path, and it goes with its last user.
 */

static pid_t clone_process(int *pidfd)
{
	/*
	 * CLONE_VFORK: comes back when the child has left this program, by exec or exit, so nobody
	 * has to wait for an end of file that a sibling's child may hold up. No exit signal:
	 * whoever starts a driver may have a SIGCHLD handler of their own.
	 */
	struct clone_args arguments = {
		.flags = CLONE_PIDFD | CLONE_VFORK,
		.pidfd = (uintptr_t)pidfd,
	};

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* Wait until the process is gone and reap it. */
static siginfo_t wait_process(int pidfd)
{
	siginfo_t info = {};

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
		;
	return info;
}

static int mount_private(int *mount)
{
	_cleanup_close_ int filesystem = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (filesystem < 0)
		return -errno;
	if (fsconfig(filesystem, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
	    fsconfig(filesystem, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	*mount = fsmount(filesystem, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return *mount < 0 ? -errno : 0;
}

/* In a process of its own; its exit code is the errno. */
static int write_image(int mount, const char *name, const void *data, size_t len)
{
	int fd = openat(mount, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500);
	int error;

	if (fd < 0)
		return errno;
	error = io_write(fd, data, len);
	return close(fd) < 0 ? errno : -error;
}

static int populate(int mount, const char *name, const void *data, size_t len)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int pidfd = -1;
	pid_t pid = clone_process(&pidfd);
	siginfo_t info;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(write_image(mount, name, data, len));
	info = wait_process(pidfd);
	if (info.si_code != CLD_EXITED)
		return -EIO;
	if (info.si_status)
		return -info.si_status;
	return mount_setattr(mount, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0 ? -errno
											  : 0;
}

void driver_init(struct driver *driver, const char *driver_name, int (*confine)(void))
{
	*driver = (struct driver){
		.driver_name = driver_name,
		.confine = confine,
		.image_mount = -1,
		.pidfd = -1,
		.pipe_to = -1,
		.pipe_from = -1,
	};
}

int driver_load_image(struct driver *driver, const void *data, size_t len)
{
	_cleanup_close_ int mount = -1;
	int error;

	if (driver->image_mount >= 0)
		return -EBUSY;
	error = mount_private(&mount);
	if (!error)
		error = populate(mount, driver->driver_name, data, len);
	if (!error)
		driver->image_mount = TAKE_FD(mount);
	return error;
}

int driver_unload_image(struct driver *driver)
{
	if (driver->image_mount < 0)
		return -EINVAL;
	close(driver->image_mount);
	driver->image_mount = -1;
	return 0;
}

/* A duplicate that the child's new 0, 1 and 2 do not overwrite. */
static int above_standard(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int reset_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Fails for SIGKILL, SIGSTOP and glibc's own, which need none of it. */
	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &standard, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Put @fds on 0, 1 and 2, and everything else out of exec's reach. */
static int set_standard(const int fds[3])
{
	int safe[3];

	for (int fd = 0; fd < 3; fd++) {
		safe[fd] = above_standard(fds[fd]);
		if (safe[fd] < 0)
			return -errno;
	}
	for (int fd = 0; fd < 3; fd++)
		if (dup2(safe[fd], fd) < 0)
			return -errno;
	return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* In the new process: what is the driver's own. Nothing of it is left in the parent. */
static int set_up(const struct driver *driver, pid_t parent, const int fds[3])
{
	int error = set_standard(fds);

	if (error)
		return error;
	if (reset_signals() < 0 || chdir("/") < 0 || setsid() < 0)
		return -errno;
	umask(077);
	/* It does not outlive whoever started it: two at work on one state would be worse. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	return driver->confine ? driver->confine() : 0;
}

_Noreturn static void execute(const struct driver *driver, pid_t parent, const int fds[3],
			      int report_fd)
{
	char *arguments[] = { (char *)driver->driver_name, NULL };
	char *environment[] = { NULL };
	int report = above_standard(report_fd), mount = above_standard(driver->image_mount);
	int error = set_up(driver, parent, fds);

	if (!error) {
		syscall(SYS_execveat, mount, driver->driver_name, arguments, environment, 0);
		error = -errno;
	}
	io_write(report, &error, sizeof(error));
	_exit(127);
}

struct pipe_pair {
	int read_end, write_end;
};

static void cleanup_pipe(struct pipe_pair *pair)
{
	cleanup_close(&pair->read_end);
	cleanup_close(&pair->write_end);
}

#define _cleanup_pipe_ __attribute__((cleanup(cleanup_pipe)))

static int open_pipe(struct pipe_pair *pair, int flags)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | flags) < 0)
		return -errno;
	*pair = (struct pipe_pair){ fds[0], fds[1] };
	return 0;
}

/* Frames of megabytes: with little room, the two processes take turns for each 64 KB. Where the
 * kernel gives no more room, that is all that happens. */
#define PIPE_SIZE (1 << 20)

static int open_frame_pipe(struct pipe_pair *pair)
{
	int error = open_pipe(pair, 0);

	if (!error)
		fcntl(pair->write_end, F_SETPIPE_SZ, PIPE_SIZE);
	return error;
}

int driver_start(struct driver *driver, int log_fd)
{
	_cleanup_pipe_ struct pipe_pair to = { -1, -1 }, from = { -1, -1 }, report = { -1, -1 };
	_cleanup_close_ int pidfd = -1;
	pid_t parent = getpid(), pid;
	int error;

	if (driver->pidfd >= 0)
		return -EBUSY;
	if (driver->image_mount < 0)
		return -EINVAL;
	if ((error = open_frame_pipe(&to)) || (error = open_frame_pipe(&from)) ||
	    (error = open_pipe(&report, O_NONBLOCK)))
		return error;
	if (fcntl(to.write_end, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(from.read_end, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	pid = clone_process(&pidfd);
	if (pid < 0)
		return -errno;
	if (!pid)
		execute(driver, parent, (int[]){ to.read_end, from.write_end, log_fd },
			report.write_end);
	if (!io_read(report.read_end, &error, sizeof(error))) {
		wait_process(pidfd);
		return error;
	}
	driver->pidfd = TAKE_FD(pidfd);
	driver->pid = pid;
	driver->pipe_to = TAKE_FD(to.write_end);
	driver->pipe_from = TAKE_FD(from.read_end);
	return 0;
}

bool driver_exited(const struct driver *driver)
{
	struct pollfd process = { .fd = driver->pidfd, .events = POLLIN };

	/* A pidfd is readable from when the last thread of the group has left. */
	return driver->pidfd < 0 || poll(&process, 1, 0) > 0;
}

int driver_stop(struct driver *driver, struct driver_end *end)
{
	if (driver->pidfd < 0)
		return -ESRCH;
	pidfd_send_signal(driver->pidfd, SIGKILL, NULL, 0);
	end->process = wait_process(driver->pidfd);
	/* what is left in the pipe stays there for as long as this end is open */
	if (ioctl(driver->pipe_to, FIONREAD, &end->unread) < 0)
		end->unread = -1;
	close(driver->pidfd);
	close(driver->pipe_to);
	close(driver->pipe_from);
	driver->pidfd = driver->pipe_to = driver->pipe_from = -1;
	return 0;
}
