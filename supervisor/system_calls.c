/* SPDX-License-Identifier: GPL-2.0-only */
#include "system_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/cleanup.h"

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "seccomp's name for this architecture is needed here"
#endif

/* Calls that only older architectures have, and that libc uses there. */
#ifdef SYS_open
#define OLDER(name) SYS_##name,
#else
#define OLDER(name)
#endif

static const int allowed[] = {
	/* frames and log */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_ppoll,
	OLDER(poll) SYS_close,
	/* programs, maps, links */
	SYS_bpf,
	SYS_ioctl,
	/* network namespaces: setns() is allowed for them only, see below */
	SYS_getppid,
	SYS_getpid,
	SYS_gettid,
	/* rtnetlink, and what attaching needs */
	SYS_socket,
	SYS_bind,
	SYS_connect,
	SYS_getsockname,
	SYS_sendto,
	SYS_sendmsg,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_getsockopt,
	SYS_setsockopt,
	/* the runtime folder, the bpffs in it, /proc and /run/netns */
	SYS_openat,
	OLDER(open) SYS_newfstatat,
	SYS_fstat,
	SYS_statx,
	SYS_statfs,
	SYS_fstatfs,
	OLDER(stat) OLDER(lstat) OLDER(access) SYS_faccessat,
	SYS_faccessat2,
	OLDER(readlink) SYS_readlinkat,
	SYS_getdents64,
	OLDER(mkdir) SYS_mkdirat,
	OLDER(rmdir) OLDER(unlink) SYS_unlinkat,
	OLDER(rename) SYS_renameat,
	SYS_renameat2,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_ftruncate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_fchmod,
	SYS_flock,
	SYS_mount,
	SYS_umount2,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_inotify_rm_watch,
	/* events */
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	OLDER(epoll_wait) SYS_eventfd2,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	/* descriptors; libbpf builds objects in memory files */
	SYS_dup,
	SYS_dup3,
	OLDER(dup2) SYS_fcntl,
	SYS_pipe2,
	SYS_memfd_create,
	/* memory */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	/* libbpf asks for kernel version, CPUs and limits */
	SYS_uname,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_prlimit64,
	SYS_sysinfo,
	SYS_getrandom,
	/* time */
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	/* signals and the end; tgkill() is abort() */
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_tgkill,
	SYS_futex,
	SYS_getuid,
	SYS_geteuid,
	SYS_exit,
	SYS_exit_group,
};

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
/* Go on with the next instruction when equal, otherwise skip @count more. */
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, count)

#define REFUSE (SECCOMP_RET_ERRNO | EPERM)

/* In front of the list. Numbers mean other calls on another architecture (i386, x32). */
static const struct sock_filter head[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	SKIP_UNLESS(SYS_setns, 4),
	LOAD(args[1]),
	SKIP_UNLESS(CLONE_NEWNET, 1),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(REFUSE),
};

int system_calls_restrict(void)
{
	struct sock_filter code[ARRAY_SIZE(head) + 2 * ARRAY_SIZE(allowed) + 1];
	struct sock_fprog program = { .filter = code };
	size_t length = ARRAY_SIZE(head);

	memcpy(code, head, sizeof(head));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		code[length++] = (struct sock_filter)SKIP_UNLESS(allowed[i], 1);
		code[length++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	code[length++] = (struct sock_filter)RETURN(REFUSE);
	program.len = (unsigned short)length;
	/* Also asked for before exec; without it an ordinary user could not be tested with. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
