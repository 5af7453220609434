/* SPDX-License-Identifier: GPL-2.0-only */
#include "autostart.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/io.h"

/* Where the programs are when they do not lie beside the file that this code is part of. */
#ifndef UBPFILTER_LIBEXECDIR
#define UBPFILTER_LIBEXECDIR "/usr/local/libexec/ubpfilter"
#endif

#define PROGRAM "ubpfilterd"

/* All that the supervisor sees of its starter's environment. */
static const char *const kept_variables[] = {
	"UBPFILTER_RUNDIR", "UBPFILTER_CONF",	 "UBPFILTER_HOOK",
	"UBPFILTER_STRICT", "UBPFILTER_TIMEOUT", "UBPFILTER_LOG",
};

/* The file that this code was loaded from: the library, or the program itself. */
static int own_file(char path[PATH_MAX])
{
	const uintptr_t page = (uintptr_t)getauxval(AT_PHDR) & ~(uintptr_t)0xfff;
	Dl_info info;
	ssize_t length;

	/* For the program itself the linker only knows argv[0]. */
	if (dladdr((void *)(uintptr_t)autostart, &info) && (uintptr_t)info.dli_fbase != page)
		return realpath(info.dli_fname, path) ? 0 : -errno;
	length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (length < 0)
		return -errno;
	path[length] = '\0';
	return 0;
}

static int find_program(char path[PATH_MAX])
{
	char *slash;

	if (own_file(path) == 0 && (slash = strrchr(path, '/')) &&
	    (size_t)(slash - path) + sizeof("/" PROGRAM) <= PATH_MAX) {
		strcpy(slash, "/" PROGRAM);
		if (access(path, X_OK) == 0)
			return 0;
	}
	strcpy(path, UBPFILTER_LIBEXECDIR "/" PROGRAM);
	return access(path, X_OK) == 0 ? 0 : -errno;
}

/* The client's handlers must not run in a process that is not the client. */
static void forget_handlers(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &standard, NULL);
}

/* In the new process: nothing of the client's goes along, and only async-signal-safe calls. */
_Noreturn static void execute(const char *path, char *const *environment, int errors)
{
	char mode[] = "--daemon";
	char *arguments[] = { (char *)path, mode, NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	errors = fcntl(errors, F_DUPFD, 3);
	if (null >= 0 && errors >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 &&
	    dup2(errors, 2) >= 0) {
		close_range(3, ~0U, 0);
		execve(path, arguments, environment);
	}
	_exit(127);
}

static pid_t clone_process(int *pidfd)
{
	struct clone_args arguments = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
	};

	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/* Its exit code; 127 when it did not exit. */
static int wait_process(int pidfd)
{
	siginfo_t end = {};

	while (waitid(P_PIDFD, (id_t)pidfd, &end, WEXITED | __WALL) < 0 && errno == EINTR)
		;
	return end.si_code == CLD_EXITED ? end.si_status : 127;
}

/*
 * In a process between client and starter: the client may have a SIGCHLD handler, or wait for any
 * child, so its child must end without a signal. That is had by an exit signal of 0, which lasts
 * until exec() sets it to SIGCHLD again; so this process executes nothing itself.
 */
_Noreturn static void stand_between(const char *path, char *const *environment, int errors)
{
	int pidfd;
	pid_t pid;

	forget_handlers();
	pid = clone_process(&pidfd);
	if (!pid)
		execute(path, environment, errors);
	_exit(pid < 0 ? 127 : wait_process(pidfd));
}

/* The starter's last line; it ends when the daemon is on its own. */
static void read_errors(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	while (used < size - 1 &&
	       ((got = read(fd, text + used, size - 1 - used)) > 0 || (got < 0 && errno == EINTR)))
		used += got > 0 ? (size_t)got : 0;
	text[used] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int run(const char *path, char *const *environment, struct message *message)
{
	_cleanup_close_ int pidfd = -1, read_end = -1, write_end = -1;
	char errors[MESSAGE_SIZE];
	sigset_t all, before;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return message_set(message, -errno, "cannot start %s: %s", path, strerror(errno));
	read_end = fds[0];
	write_end = fds[1];
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pid = clone_process(&pidfd);
	if (!pid)
		stand_between(path, environment, write_end);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return message_set(message, -EAGAIN, "cannot start %s: no new process", path);
	close(TAKE_FD(write_end));
	read_errors(read_end, errors, sizeof(errors));
	if (wait_process(pidfd) == 0)
		return 0;
	return message_set(message, -ENOPROTOOPT, "%s",
			   errors[0] ? errors : "ubpfilterd could not be started");
}

int autostart(struct message *message)
{
	const char *allowed = getenv("UBPFILTER_AUTOSTART");
	char *environment[ARRAY_SIZE(kept_variables) + 1] = {};
	char path[PATH_MAX];
	size_t count = 0;
	int error;

	if (allowed && strcmp(allowed, "0") == 0)
		return message_set(message, -EACCES,
				   "ubpfilterd does not run, and UBPFILTER_AUTOSTART=0 forbids to "
				   "start it");
	error = find_program(path);
	if (error)
		return message_set(message, error, "cannot find ubpfilterd: %s: %s", path,
				   strerror(-error));
	for (char **variable = environ; *variable; variable++)
		for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
			size_t length = strlen(kept_variables[i]);

			if (strncmp(*variable, kept_variables[i], length) == 0 &&
			    (*variable)[length] == '=' && count < ARRAY_SIZE(kept_variables))
				environment[count++] = *variable;
		}
	return run(path, environment, message);
}
