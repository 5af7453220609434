/* SPDX-License-Identifier: GPL-2.0-only */
#include "offline_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/io.h"
#include "../shim/offline.h"
#include "child.h"
#include "shim_path.h"

#define RULES_MAX ((size_t)256 << 20) /* bytes of text */

/* --- the text -------------------------------------------------------------------------------- */

/* "*nat\n": the name of the table that starts here, in place; NULL for any other line. */
static char *table_start(char *line)
{
	if (line[0] != '*')
		return NULL;
	line[strcspn(line, " \t\r\n")] = '\0';
	return line + 1;
}

/* "-A ...", perhaps with counters ahead. */
static bool is_rule(const char *line)
{
	if (line[0] == '[')
		line += strcspn(line, "]") + 1;
	return strncmp(line + strspn(line, " "), "-A", 2) == 0;
}

int rules_text_read(FILE *in, void (*ignored)(const char *table), struct rules_text *rules,
		    struct message *message)
{
	_cleanup_free_ char *line = NULL, *text = NULL;
	size_t capacity = 0, size = 0;
	unsigned tables = 0;
	bool ours = true; /* comments ahead of the first table */
	bool in_nat = false, nat = false;
	FILE *kept = open_memstream(&text, &size);
	int error = kept ? 0 : -ENOMEM;

	while (!error && getline(&line, &capacity, in) >= 0) {
		const char *name;

		if (ours && line[0] != '*')
			fputs(line, kept);
		else if (!(name = table_start(line))) {
			nat |= in_nat && is_rule(line);
			fputc('\n', kept);
		} else if ((ours = strcmp(name, "filter") == 0))
			tables += fputs("*filter\n", kept) >= 0;
		else {
			in_nat = strcmp(name, "nat") == 0;
			ignored(name);
			fputc('\n', kept);
		}
		if (fflush(kept) || size > RULES_MAX)
			error = -EFBIG;
	}
	if (!error && ferror(in))
		error = -EIO;
	if (kept && fclose(kept) && !error)
		error = -ENOMEM;
	if (error)
		return message_set(message, error, "cannot read the rules: %s", strerror(-error));
	if (tables != 1)
		return message_set(message, -EINVAL, "the rules have %s table \"filter\"",
				   tables ? "more than one" : "no");
	rules->data = TAKE_PTR(text);
	rules->size = size;
	rules->nat = nat;
	return 0;
}

/* --- the files that iptables-restore works on ------------------------------------------------ */

/* What the kernel would answer to GET_INFO and GET_ENTRIES; see shim/offline.h. */
static int write_answers(int fd, const struct table *table)
{
	struct ipt_getinfo info = {
		.valid_hooks = table->valid_hooks,
		.num_entries = table->entry_count,
		.size = table->size,
	};
	struct ipt_get_entries entries = { .size = table->size };
	int error;

	strcpy(info.name, table->name);
	strcpy(entries.name, table->name);
	memcpy(info.hook_entry, table->hook_entry, sizeof(info.hook_entry));
	memcpy(info.underflow, table->underflow, sizeof(info.underflow));
	error = io_write(fd, &info, sizeof(info));
	if (!error)
		error = io_write(fd, &entries, sizeof(entries));
	return error ? error : io_write(fd, table->entries, table->size);
}

static int open_exchange(enum family family, int *fd, off_t *answers)
{
	_cleanup_close_ int file = memfd_create("exchange", MFD_CLOEXEC);
	struct table *initial;
	int error;

	if (file < 0)
		return -errno;
	error = table_initial(family, &initial);
	if (error)
		return error;
	error = write_answers(file, initial);
	table_free(initial);
	if (error)
		return error;
	*answers = lseek(file, 0, SEEK_CUR);
	*fd = TAKE_FD(file);
	return 0;
}

static int open_text(const struct rules_text *rules, int *fd)
{
	_cleanup_close_ int file = memfd_create("rules", MFD_CLOEXEC);
	int error;

	if (file < 0)
		return -errno;
	error = io_write(file, rules->data, rules->size);
	if (!error && lseek(file, 0, SEEK_SET) < 0)
		error = -errno;
	if (!error)
		*fd = TAKE_FD(file);
	return error;
}

/* --- the run --------------------------------------------------------------------------------- */

#define EXCHANGE_FD 3

static const char *restore_name(enum family family)
{
	return family == FAMILY_IPV6 ? "ip6tables-legacy-restore" : "iptables-legacy-restore";
}

/* In the child. The lock is of this run's own: there is nothing to share a table with. */
_Noreturn static void execute(enum family family, int text, int exchange, const char *shim)
{
	const char *const arguments[] = { restore_name(family), "--modprobe=/bin/true", NULL };

	/* both away from where they go to first */
	text = fcntl(text, F_DUPFD_CLOEXEC, EXCHANGE_FD + 1);
	exchange = fcntl(exchange, F_DUPFD_CLOEXEC, EXCHANGE_FD + 1);
	if (text < 0 || exchange < 0 || dup2(text, STDIN_FILENO) < 0 ||
	    dup2(exchange, EXCHANGE_FD) < 0 || setenv("LD_PRELOAD", shim, 1) < 0 ||
	    setenv(OFFLINE_VARIABLE, "3", 1) < 0 ||
	    setenv("XTABLES_LOCKFILE", "/proc/self/fd/3", 1) < 0)
		_exit(CHILD_NOT_FOUND);
	child_execute(arguments);
}

static int run(enum family family, int text, int exchange, const char *shim,
	       struct message *message)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return message_set(message, -errno, "cannot start %s: %s", restore_name(family),
				   strerror(errno));
	if (!pid)
		execute(family, text, exchange, shim);
	status = child_wait(pid);
	if (status == CHILD_NOT_FOUND)
		return message_set(message, -ENOENT,
				   "cannot run %s (Debian's package iptables has it)",
				   restore_name(family));
	return status ? -EINVAL : 0;
}

/* What iptables-restore wrote behind the answers: the table. */
static int read_table(enum family family, enum table_demand demand, int exchange, off_t answers,
		      struct table **table, struct message *message)
{
	_cleanup_free_ void *blob = NULL;
	struct stat status;
	uint32_t num_counters;
	size_t size;
	int error;

	if (fstat(exchange, &status) < 0)
		return -errno;
	if (status.st_size <= answers)
		return message_set(message, -EINVAL,
				   "the rules end without COMMIT: there is no table");
	size = (size_t)(status.st_size - answers);
	blob = malloc(size);
	if (!blob)
		return -ENOMEM;
	if (lseek(exchange, answers, SEEK_SET) < 0)
		return -errno;
	error = io_read(exchange, blob, size);
	return error ? error
		     : table_decode_as(family, demand, blob, size, table, &num_counters, message);
}

int offline_restore(enum family family, enum table_demand demand, const struct rules_text *rules,
		    const char *shim, struct table **table, struct message *message)
{
	_cleanup_close_ int exchange = -1, text = -1;
	off_t answers = 0;
	int error = open_exchange(family, &exchange, &answers);

	if (!error)
		error = open_text(rules, &text);
	if (error)
		return message_set(message, error, "cannot make a memory file: %s",
				   strerror(-error));
	error = run(family, text, exchange, shim, message);
	return error ? error : read_table(family, demand, exchange, answers, table, message);
}

/* --- both ------------------------------------------------------------------------------------ */

static int read_rules(const char *path, void (*ignored)(const char *table),
		      struct rules_text *rules, struct message *message)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	int error;

	if (!in)
		return message_set(message, -errno, "cannot open %s: %s", path, strerror(errno));
	error = rules_text_read(in, ignored, rules, message);
	if (!is_stdin)
		fclose(in);
	return error;
}

int rules_table(enum family family, enum table_demand demand, const char *path,
		void (*ignored)(const char *table), struct table **table, bool *nat,
		struct message *message)
{
	struct rules_text rules = {};
	char shim[PATH_MAX];
	int error = shim_path(shim);

	if (error)
		return message_set(message, error, "cannot find %s: %s", shim, strerror(-error));
	error = read_rules(path, ignored, &rules, message);
	if (!error)
		error = offline_restore(family, demand, &rules, shim, table, message);
	if (nat)
		*nat = rules.nat;
	free(rules.data);
	return error;
}
