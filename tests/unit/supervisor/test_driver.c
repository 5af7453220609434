/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's life cycle, with images that have nothing to do with iptables. Needs root. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../../common/cleanup.h"
#include "../../../common/io.h"
#include "../../../supervisor/driver.h"

/* Any executable will do that lives as long as its descriptor 0 is open. */
#define IMAGE "/bin/cat"

static void read_file(const char *path, char **data, size_t *size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	cr_assert(fd >= 0 && fstat(fd, &status) == 0, "%s: %m", path);
	*size = (size_t)status.st_size;
	*data = malloc(*size);
	cr_assert(*data);
	cr_assert_eq(io_read(fd, *data, *size), 0);
}

/* A file whose size is not told: /proc/PID/NAME. */
static size_t read_proc(pid_t pid, const char *name, char *data, size_t size)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0, "%s: %m", path);
	got = read(fd, data, size);
	cr_assert(got >= 0);
	return (size_t)got;
}

static int load(struct driver *driver, const char *path)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	read_file(path, &data, &size);
	return driver_load_image(driver, data, size);
}

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	cr_assert(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static bool echoes(const struct driver *driver)
{
	struct pollfd from = { .fd = driver->pipe_from, .events = POLLIN };
	char byte = 0;

	return io_write(driver->pipe_to, "x", 1) == 0 && poll(&from, 1, 5000) == 1 &&
	       read(driver->pipe_from, &byte, 1) == 1 && byte == 'x';
}

static void wait_until_gone(const struct driver *driver)
{
	struct pollfd process = { .fd = driver->pidfd, .events = POLLIN };

	cr_assert_eq(poll(&process, 1, 5000), 1);
}

static struct driver driver;
static struct driver_end end;

static void set_up(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	driver_init(&driver, "some_driver", NULL);
}

static void tear_down(void)
{
	driver_stop(&driver, &end);
	driver_unload_image(&driver);
}

TestSuite(driver, .init = set_up, .fini = tear_down, .timeout = 30);

Test(driver, D4_loading_twice_is_busy)
{
	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(load(&driver, IMAGE), -EBUSY);
}

Test(driver, D4_unloading_what_is_not_loaded_is_invalid)
{
	cr_assert_eq(driver_unload_image(&driver), -EINVAL);
	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(driver_unload_image(&driver), 0);
	cr_assert_eq(driver_unload_image(&driver), -EINVAL);
}

Test(driver, D4_starting_a_running_driver_is_busy)
{
	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), -EBUSY);
	cr_assert(echoes(&driver));
}

Test(driver, starting_without_an_image_is_invalid)
{
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), -EINVAL);
}

Test(driver, a_failed_exec_leaves_nothing)
{
	static const char no_program[] = "this is no program";
	unsigned before = count_descriptors();

	cr_assert_eq(driver_load_image(&driver, no_program, sizeof(no_program)), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), -ENOEXEC);
	cr_assert_eq(driver.pidfd, -1);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1, "a child is left");
	cr_assert_eq(driver_unload_image(&driver), 0);
	cr_assert_eq(count_descriptors(), before);
}

static int refuse(void)
{
	return -EXDEV;
}

Test(driver, a_failed_set_up_leaves_nothing)
{
	cr_assert_eq(load(&driver, IMAGE), 0);
	driver.confine = refuse;
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), -EXDEV);
	cr_assert_eq(driver.pidfd, -1);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1, "a child is left");
}

/* Forks children that live a little, as a busy program's other threads do. */
static void *fork_all_the_time(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		pid_t pid = fork();

		if (!pid) {
			usleep(2000);
			_exit(0);
		}
		if (pid > 0)
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
	}
	return NULL;
}

Test(driver, D5_siblings_that_fork_cannot_make_the_start_fail)
{
	atomic_bool stop = false;
	pthread_t sibling;
	int failed = 0;

	cr_assert_eq(pthread_create(&sibling, NULL, fork_all_the_time, &stop), 0);
	for (int i = 0; i < 200 && !failed; i++) {
		failed = load(&driver, IMAGE);
		if (!failed)
			failed = driver_start(&driver, STDERR_FILENO);
		driver_stop(&driver, &end);
		driver_unload_image(&driver);
	}
	atomic_store(&stop, true);
	pthread_join(sibling, NULL);
	cr_assert_eq(failed, 0, "%s", strerror(-failed));
}

Test(driver, D5_nobody_can_open_the_running_image_for_writing)
{
	char path[64];

	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert(openat(driver.image_mount, "some_driver", O_WRONLY | O_CLOEXEC) < 0);
	cr_assert_eq(errno, EROFS);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	snprintf(path, sizeof(path), "/proc/%d/exe", driver.pid);
	cr_assert(open(path, O_WRONLY | O_CLOEXEC) < 0);
}

Test(driver, D6_arguments_environment_and_descriptors_are_exact)
{
	char data[256], link[64], target[64];
	struct stat ours, theirs;
	_cleanup_close_ int log = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_close_ int leak = open("/dev/null", O_RDONLY);

	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(driver_start(&driver, log), 0);
	/* It runs for sure once it answers; its names are in place then. */
	cr_assert(echoes(&driver));
	cr_assert_eq(read_proc(driver.pid, "cmdline", data, sizeof(data)), sizeof("some_driver"));
	cr_assert_str_eq(data, "some_driver");
	cr_assert_eq(read_proc(driver.pid, "environ", data, sizeof(data)), 0);
	cr_assert_eq(read_proc(driver.pid, "comm", data, sizeof(data)), sizeof("some_driver"));
	cr_assert_eq(memcmp(data, "some_driver\n", sizeof("some_driver")), 0);
	for (int fd = 0; fd < 8; fd++) {
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", driver.pid, fd);
		if (fd > 2) {
			cr_assert(readlink(link, target, sizeof(target)) < 0, "%d is open", fd);
			continue;
		}
		cr_assert_eq(stat(link, &theirs), 0);
		cr_assert_eq(fstat((int[]){ driver.pipe_to, driver.pipe_from, log }[fd], &ours), 0);
		cr_assert_eq(ours.st_ino, theirs.st_ino, "descriptor %d", fd);
	}
}

Test(driver, D6_closed_standard_descriptors_are_no_trouble)
{
	_cleanup_close_ int log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	int saved_in = fcntl(0, F_DUPFD_CLOEXEC, 10), saved_out = fcntl(1, F_DUPFD_CLOEXEC, 10);
	int error;
	bool good;

	close(0);
	close(1);
	error = load(&driver, IMAGE);
	if (!error)
		error = driver_start(&driver, log);
	good = !error && echoes(&driver);
	driver_stop(&driver, &end);
	dup2(saved_in, 0);
	dup2(saved_out, 1);
	cr_assert(good, "%s", strerror(-error));
}

Test(driver, D7_a_restart_runs_the_loaded_image)
{
	char path[] = "/tmp/driver_image.XXXXXX";
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = mkstemp(path);
	size_t size;

	read_file(IMAGE, &data, &size);
	cr_assert_eq(io_write(fd, data, size), 0);
	cr_assert_eq(load(&driver, path), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	cr_assert_eq(ftruncate(fd, 0), 0);
	unlink(path);
	memset(data, 0, size);
	cr_assert_eq(driver_stop(&driver, &end), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	cr_assert(echoes(&driver));
}

Test(driver, D11_what_it_never_read_is_told)
{
	siginfo_t stopped;

	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	cr_assert(echoes(&driver)); /* that it read */
	pidfd_send_signal(driver.pidfd, SIGSTOP, NULL, 0);
	cr_assert_eq(waitid(P_PIDFD, (id_t)driver.pidfd, &stopped, WSTOPPED), 0);
	cr_assert_eq(io_write(driver.pipe_to, "abc", 3), 0);
	cr_assert_eq(driver_stop(&driver, &end), 0);
	cr_expect_eq(end.unread, 3);
}

Test(driver, D13_a_zombie_is_gone)
{
	cr_assert_eq(load(&driver, IMAGE), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	cr_assert(!driver_exited(&driver));
	pidfd_send_signal(driver.pidfd, SIGKILL, NULL, 0);
	wait_until_gone(&driver);
	cr_assert(driver_exited(&driver));
	cr_assert_eq(driver_stop(&driver, &end), 0);
	cr_assert_eq(end.process.si_status, SIGKILL);
	cr_assert(driver_exited(&driver));
}

Test(driver, D13_a_group_without_its_leader_is_not_gone)
{
	static const char helper[] = "/proc/self/exe";
	struct pollfd from;
	char byte;

	/* This very program, which as "leaderless" leaves a thread behind; see below. */
	driver.driver_name = "leaderless";
	cr_assert_eq(load(&driver, helper), 0);
	cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
	from = (struct pollfd){ .fd = driver.pipe_from, .events = POLLIN };
	cr_assert_eq(poll(&from, 1, 5000), 1);
	cr_assert_eq(read(driver.pipe_from, &byte, 1), 1);
	cr_assert_eq(byte, 'Z', "the leader is a zombie");
	cr_assert(!driver_exited(&driver));
	cr_assert_eq(driver_stop(&driver, &end), 0);
}

/* The thread that stays: says how its leader is, then waits. */
static void *stay(void *unused)
{
	char data[512], *state;

	do {
		_cleanup_close_ int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, data, sizeof(data) - 1);

		data[got > 0 ? got : 0] = '\0';
		state = strrchr(data, ')');
	} while (state && state[2] != 'Z');
	io_write(STDOUT_FILENO, state ? state + 2 : "?", 1);
	pause();
	return unused;
}

__attribute__((constructor)) static void be_leaderless(int argc, char **argv)
{
	pthread_t thread;

	if (argc == 1 && strcmp(argv[0], "leaderless") == 0 &&
	    pthread_create(&thread, NULL, stay, NULL) == 0)
		syscall(SYS_exit, 0);
}

Test(driver, stopping_waits_until_it_is_gone_and_closes_everything)
{
	unsigned before = count_descriptors();
	pid_t pid;

	cr_assert_eq(load(&driver, IMAGE), 0);
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(driver_start(&driver, STDERR_FILENO), 0);
		pid = driver.pid;
		cr_assert_eq(driver_stop(&driver, &end), 0);
		cr_assert_eq(kill(pid, 0), -1, "not reaped");
	}
	cr_assert_eq(driver_stop(&driver, &end), -ESRCH);
	driver_unload_image(&driver);
	cr_assert_eq(count_descriptors(), before);
}
