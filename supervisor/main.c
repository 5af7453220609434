/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ubpfilterd: finds the driver's image, claims the runtime folder, and lets relay and clients work
 * until somebody asks for an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../common/io.h"
#include "client.h"
#include "clients.h"
#include "confine.h"
#include "driver.h"
#include "log.h"
#include "loop.h"
#include "relay.h"
#include "rundir.h"

#define DRIVER_NAME	"bpfilter_umh"
#define REQUEST_TIMEOUT 60	    /* s */
#define END_TIMEOUT	800	    /* ms for what is in flight when an end is asked for */
#define LISTEN_FD	3	    /* SD_LISTEN_FDS_START */
#define IMAGE_MAX	(256 << 20) /* bytes */

enum mode {
	MODE_FOREGROUND,
	MODE_DAEMON,
};

struct settings {
	enum mode mode;
	const char *log_level;
	unsigned request_timeout; /* s */
	const char *config;
	const char *hook;
	const char *strict;
	const char *rundir;
};

struct supervisor {
	struct settings settings;
	struct log log;
	struct loop loop;
	struct driver driver;
	struct rundir rundir;
	struct relay *relay;
	struct clients *clients;
	struct watch signals;
	int signal_fd;
	struct timer end_timer, end_check;
};

static const char usage[] =
	"usage: ubpfilterd [-f | --daemon] [--log-level LEVEL] [--timeout SECONDS] [--strict]\n"
	"\n"
	"Takes the requests of iptables under the ubpfilter shim, and starts, watches and "
	"restarts\n"
	"the driver bpfilter_umh that answers them. The first request starts it by itself.\n"
	"\n"
	"  -f, --foreground     stay in the foreground, log to stderr (the default)\n"
	"  -d, --daemon         go to the background once requests are taken, log to syslog\n"
	"  -l, --log-level L    error, warning, notice (the default), info or debug\n"
	"  -t, --timeout S      kill a driver that works on one request for longer (default 60)\n"
	"  -s, --strict         refuse what BPF does not do; otherwise the kernel enforces it\n"
	"  -h, --help           show this\n"
	"\n"
	"environment:\n"
	"  UBPFILTER_RUNDIR     runtime folder, default " RUNDIR_DEFAULT "\n"
	"  UBPFILTER_CONF       configuration file, default " CONF_DEFAULT "\n"
	"  UBPFILTER_HOOK       auto, xdp or tc: overrides the configuration's default\n"
	"  UBPFILTER_STRICT     yes or no: overrides the configuration\n"
	"  UBPFILTER_LOG        as --log-level\n"
	"  UBPFILTER_TIMEOUT    as --timeout\n"
	"  LISTEN_FDS           a listening socket from a service manager is used\n";

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static int parse_seconds(const char *text, unsigned *seconds)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value < 1 || value > 3600)
		return -EINVAL;
	*seconds = (unsigned)value;
	return 0;
}

/* Return: 0; 1 when there is nothing more to do; -EINVAL after saying why. */
static int parse_arguments(struct settings *settings, int argc, char **argv)
{
	static const struct option options[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "daemon", no_argument, NULL, 'd' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "timeout", required_argument, NULL, 't' },
		{ "strict", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *timeout = environment("UBPFILTER_TIMEOUT", NULL);
	int option;

	*settings = (struct settings){
		.log_level = environment("UBPFILTER_LOG", "notice"),
		.request_timeout = REQUEST_TIMEOUT,
		.config = client_config(),
		.hook = environment("UBPFILTER_HOOK", ""),
		.strict = environment("UBPFILTER_STRICT", ""),
		.rundir = client_rundir(),
	};
	while ((option = getopt_long(argc, argv, "fdl:t:sh", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			settings->mode = MODE_FOREGROUND;
			break;
		case 'd':
			settings->mode = MODE_DAEMON;
			break;
		case 'l':
			settings->log_level = optarg;
			break;
		case 't':
			timeout = optarg;
			break;
		case 's':
			settings->strict = "yes";
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs("try ubpfilterd --help\n", stderr);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ubpfilterd: unexpected argument: %s\n", argv[optind]);
		return -EINVAL;
	}
	if (timeout && parse_seconds(timeout, &settings->request_timeout) < 0) {
		fprintf(stderr, "ubpfilterd: time-out is not between 1 and 3600 seconds: %s\n",
			timeout);
		return -EINVAL;
	}
	return 0;
}

/* Descriptors 0, 1 and 2 must be something before anything else is opened. */
static int open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* The image lies beside this program. Read once: what is installed later does not matter. */
static int load_image(struct driver *driver, struct message *message)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct stat status;
	char *slash;
	void *image;
	int error;

	if (length < 0)
		return message_set(message, -errno, "cannot find my own file: %s", strerror(errno));
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + sizeof("/" DRIVER_NAME) > sizeof(path))
		return message_set(message, -ENAMETOOLONG, "cannot find %s beside %s", DRIVER_NAME,
				   path);
	strcpy(slash, "/" DRIVER_NAME);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return message_set(message, -errno, "cannot open the driver %s: %s", path,
				   strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_size <= 0 || status.st_size > IMAGE_MAX)
		return message_set(message, -ENOEXEC, "the driver %s is no program", path);
	image = malloc((size_t)status.st_size);
	if (!image)
		return message_set(message, -ENOMEM, "no memory for the driver %s", path);
	error = io_read(fd, image, (size_t)status.st_size);
	if (!error)
		error = driver_load_image(driver, image, (size_t)status.st_size);
	free(image);
	if (error)
		message_set(message, error, "cannot load the driver %s: %s", path,
			    strerror(-error));
	return error;
}

/* A socket that systemd, or whoever speaks its protocol, listens on for us; -1: none. */
static int inherited_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (!pid || !count || atoi(pid) != getpid() || atoi(count) != 1)
		return -1;
	fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC);
	fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK);
	return LISTEN_FD;
}

/* "rundir\0config\0hook\0strict\0"; owned by the caller. */
static int make_configuration(const struct settings *settings, char **data, uint32_t *len)
{
	int size = asprintf(data, "%s%c%s%c%s%c%s%c", settings->rundir, 0, settings->config, 0,
			    settings->hook, 0, settings->strict, 0);

	if (size < 0)
		return -ENOMEM;
	*len = (uint32_t)size;
	return 0;
}

static int detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (null < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid)
		_exit(0);
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	return 0;
}

/* The end. */

static void look_for_end(void *owner)
{
	struct supervisor *supervisor = owner;

	if (!relay_busy(supervisor->relay) && !clients_pending(supervisor->clients))
		supervisor->loop.ended = true;
	else
		loop_arm(&supervisor->loop, &supervisor->end_check, 1);
}

static void end_now(void *owner)
{
	struct supervisor *supervisor = owner;

	log_line(&supervisor->log, LOG_WARNING, "ending with a request in flight");
	supervisor->loop.ended = true;
}

/* Take nothing new, finish what is in flight. */
static void begin_end(void *owner)
{
	struct supervisor *supervisor = owner;

	if (supervisor->end_timer.armed)
		return;
	rundir_unlink_socket(&supervisor->rundir);
	clients_drain(supervisor->clients);
	relay_drain(supervisor->relay);
	loop_arm(&supervisor->loop, &supervisor->end_timer, END_TIMEOUT);
	loop_arm(&supervisor->loop, &supervisor->end_check, 0);
}

static void signal_ready(void *owner, uint32_t events)
{
	struct supervisor *supervisor = owner;
	struct signalfd_siginfo info;

	(void)events;
	if (read(supervisor->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	log_line(&supervisor->log, LOG_NOTICE, "ending: signal %u from process %u", info.ssi_signo,
		 info.ssi_pid);
	begin_end(supervisor);
}

static int watch_signals(struct supervisor *supervisor)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	supervisor->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signal_fd < 0)
		return -errno;
	return loop_watch(&supervisor->loop, &supervisor->signals, supervisor->signal_fd, EPOLLIN);
}

/* 256 clients hold six descriptors each. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int serve(struct supervisor *supervisor)
{
	_cleanup_free_ char *configuration = NULL;
	struct relay_options options = {
		.request_timeout = supervisor->settings.request_timeout * UINT64_C(1000),
		.stop = begin_end,
		.owner = supervisor,
	};
	int error = loop_open(&supervisor->loop);

	if (error)
		return error;
	raise_descriptor_limit();
	error = make_configuration(&supervisor->settings, &configuration,
				   &options.configuration_len);
	options.configuration = configuration;
	if (!error)
		error = watch_signals(supervisor);
	if (!error)
		error = relay_open(&supervisor->relay, &supervisor->loop, &supervisor->log,
				   &supervisor->driver, &options);
	if (!error)
		error = clients_open(&supervisor->clients, &supervisor->loop, &supervisor->log,
				     supervisor->relay, supervisor->rundir.listen_fd);
	if (error)
		return error;
	log_line(&supervisor->log, LOG_NOTICE, "serving %s", supervisor->rundir.path);
	relay_start(supervisor->relay);
	error = loop_run(&supervisor->loop);
	relay_close(supervisor->relay);
	clients_close(supervisor->clients);
	loop_close(&supervisor->loop);
	log_line(&supervisor->log, LOG_NOTICE, "ended");
	return error;
}

/* Everything that can fail before requests are taken, with a message for whoever started us. */
static int prepare(struct supervisor *supervisor, enum rundir_claim *claim, struct message *message)
{
	_cleanup_close_ int caller_root = -1;
	const struct settings *settings = &supervisor->settings;
	int error = load_image(&supervisor->driver, message);

	if (!error && settings->mode == MODE_DAEMON)
		error = rundir_enter_host(&caller_root, message);
	if (!error)
		error = rundir_claim(&supervisor->rundir, settings->rundir, inherited_socket(),
				     claim, message);
	if (!error)
		error = rundir_visible(settings->rundir, caller_root, message);
	return error;
}

int main(int argc, char **argv)
{
	struct supervisor supervisor = {
		.signals = { .fd = -1, .ready = signal_ready, .owner = &supervisor },
		.end_timer = { .expired = end_now, .owner = &supervisor },
		.end_check = { .expired = look_for_end, .owner = &supervisor },
	};
	struct settings *settings = &supervisor.settings;
	enum rundir_claim claim = RUNDIR_OURS;
	struct message message = {};
	int error;

	if (open_standard() < 0)
		return EXIT_FAILURE;
	error = parse_arguments(settings, argc, argv);
	if (error)
		return error < 0 ? 2 : EXIT_SUCCESS;
	if (log_open(&supervisor.log, settings->mode == MODE_DAEMON ? LOG_TO_SYSLOG : LOG_TO_STDERR,
		     settings->log_level) < 0) {
		fprintf(stderr, "ubpfilterd: unknown log level: %s\n", settings->log_level);
		return 2;
	}
	driver_init(&supervisor.driver, DRIVER_NAME, confine);
	error = prepare(&supervisor, &claim, &message);
	if (error) {
		fprintf(stderr, "ubpfilterd: %s\n", message.text);
		return EXIT_FAILURE;
	}
	if (claim == RUNDIR_SERVED) {
		if (settings->mode == MODE_FOREGROUND)
			fprintf(stderr, "ubpfilterd: %s is served by another ubpfilterd\n",
				settings->rundir);
		return settings->mode == MODE_DAEMON ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (settings->mode == MODE_DAEMON)
		error = detach();
	if (!error)
		error = serve(&supervisor);
	if (error)
		log_line(&supervisor.log, LOG_ERR, "ended by an error: %s", strerror(-error));
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
