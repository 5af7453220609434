# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
command -v strace >/dev/null || skip "needs strace"

# What a program does after it is loaded is the same with and without the shim.
trace() { # PRELOAD COMMAND...
	local preload=$1
	shift
	strace -f -qq -e 'trace=!mmap,munmap,brk,mprotect' -E LD_PRELOAD="$preload" "$@" 2>&1 >/dev/null </dev/null |
		sed -e '/libubpfilter\|ld.so\|libc.so/d' -e 's/0x[0-9a-f]*/X/g; s/[0-9]\{3,\}/N/g; s/, [0-9]*) *=/)=/' |
		grep -o '^\(\[pid *N\] \)\?\(socket\|connect\|clone[0-9]*\|execve\|pipe2\|sendmsg\|fcntl\|rt_sig[a-z]*\|memfd_create\|dup2\|[gs]etsockopt\)(' |
		sed 's/^\[pid *N\] //' | sort | uniq -c
}
for command in "true" "sh -c 'exit 0'" "bash -c 'echo x | cat'" "modprobe --version" \
	"python3 -c 'import socket; s=socket.socket(); s.setsockopt(0,2,64)'"; do
	[ "${command%% *}" = python3 ] && ! command -v python3 >/dev/null && continue
	eval "plain=\$(trace '' $command)"
	eval "under=\$(trace '$programs/libubpfilter.so' $command)"
	equal "$command" "$plain" "$under"
done
equal "no supervisor was started" "" "$(supervisors)"

# Nothing is left in a program that does use the options: descriptors, signals, children.
cat >"$scratch/user.c" <<'END'
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static int count(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}
static void child_ended(int s) { (void)s; _exit(9); }
int main(void)
{
	char value[84] = "filter";
	socklen_t length = sizeof(value);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), before = count();
	sigset_t old, new;
	signal(SIGCHLD, child_ended);
	sigprocmask(SIG_SETMASK, NULL, &old);
	errno = ETXTBSY;
	if (getsockopt(fd, 0, 64, value, &length))
		return perror("getsockopt"), 1;
	if (errno != ETXTBSY)
		return puts("errno was changed"), 2;
	if (count() != before)
		return puts("descriptors were left open"), 3;
	sigprocmask(SIG_SETMASK, NULL, &new);
	if (memcmp(&old, &new, sizeof(old)))
		return puts("the signal mask was changed"), 4;
	if (waitpid(-1, NULL, WNOHANG | __WALL) != -1)
		return puts("a child was left"), 5;
	if (!fork())
		_exit(getsockopt(fd, 0, 64, value, &length) ? 6 : 0);
	signal(SIGCHLD, SIG_DFL);
	int status;
	return wait(&status) > 0 && status == 0 ? 0 : 7;
}
END
${CC:-cc} -o "$scratch/user" "$scratch/user.c" || fail "cannot compile"
namespaces
shim "$scratch/user" || fail "the program that uses the options noticed the shim: $?"

# Errors come out as from the kernel, option by option, for both families.
for family in 4 6; do
	in_host "$helpers/sockopt" $family all >"$scratch/kernel"
	shim "$helpers/sockopt" $family all >"$scratch/shim" 2>/dev/null
	diff "$scratch/kernel" "$scratch/shim" >&2 || fail "IPv$family: errors differ from the kernel's"
done
