/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames on the pipes: client -> ubpfilterd -> bpfilter_umh and back. A frame is a header and `len`
 * bytes of payload. The names follow the kernel's bpfilter ({addr, len, is_set, cmd, pid} and
 * {status}); the payload travels inline, so no process reads another's memory.
 *
 * All fields are in host byte order: both ends are on one machine and of one build.
 */
#ifndef UBPFILTER_PROTOCOL_H
#define UBPFILTER_PROTOCOL_H

#include <stdint.h>

#define FRAME_MAGIC   0x66706275u /* "ubpf" */
#define FRAME_VERSION 1

/* The kernel refuses tables of 512 MiB and more; nothing longer is worth carrying. */
#define FRAME_LENGTH_MAX (512u << 20)

enum frame_kind {
	FRAME_SOCKOPT = 1, /* level, cmd = option, is_set: a get- or setsockopt */
	FRAME_CONTROL = 2, /* cmd = enum control_command */
};

enum control_command {
	CONTROL_HEALTH = 0, /* answered with status 0 and no payload: cmd 0, is_set 0 */
	CONTROL_STATUS = 1, /* reply payload: text for people */
	CONTROL_DUMP = 2,  /* reply payload: lines "PIN-PATH\n" of programs in the client's netns */
	CONTROL_STOP = 3,  /* answered by the supervisor: it ends after the reply */
	CONTROL_FLUSH = 4, /* take down everything of the client's network namespace */
	CONTROL_TABLES =
		5, /* level; reply payload: "filter\n" once the table is in use, or nothing */
	CONTROL_CONFIGURE = 6, /* to the driver only, once, after the health check: payload
				  "rundir\0config\0hook\0strict\0" (its argv and environment say
				  nothing) */
};

struct request {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;	   /* enum frame_kind */
	uint64_t sequence; /* chosen by the sender of the request, echoed in the reply */
	uint32_t len;	   /* bytes of payload behind this header */
	uint32_t is_set;   /* 1: setsockopt, 0: getsockopt */
	uint32_t cmd;	   /* option or command */
	uint32_t pid;	   /* client, as the kernel attests it; filled in by the supervisor */
	uint32_t level;	   /* SOL_IP, SOL_IPV6; 0 for control frames */
	int32_t netns_fd;  /* of the supervisor; the driver opens /proc/<supervisor>/fd/N; filled in
			      by the supervisor */
	uint64_t netns_inode; /* of the nsfs file behind netns_fd, so that a stale number is seen */
};

struct reply {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint64_t sequence;
	uint32_t len;	      /* bytes of payload behind this header: output, then message */
	int32_t status;	      /* 0 or -errno, handed to the client's call as it is */
	uint32_t message_len; /* last bytes of the payload: one line for the client's stderr, no NUL
			       */
	uint32_t reserved;    /* 0 */
};

/*
 * Before the frames: how a client and ubpfilterd meet, on a SOCK_SEQPACKET socket in the runtime
 * folder. The supervisor greets, with a nonce and the client's ends of two pipes as SCM_RIGHTS
 * (request pipe, writing; reply pipe, reading). The client answers with the nonce and one network
 * namespace descriptor as SCM_RIGHTS. Then frames flow over the pipes, any number of them. When the
 * supervisor ends a connection without a reply, it says why in a farewell.
 */
#define SOCKET_NAME "socket"

enum meeting_kind {
	MEETING_GREETING = 1, /* supervisor to client; 2 descriptors */
	MEETING_HELLO = 2,    /* client to supervisor; 1 descriptor */
	MEETING_FAREWELL = 3, /* supervisor to client; status: -EPERM, or -EAGAIN: no request was
				 begun, come again */
};

struct meeting {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;	   /* enum meeting_kind */
	int32_t status;	   /* MEETING_FAREWELL: -errno; otherwise 0 */
	uint32_t reserved; /* 0 */
	uint8_t nonce[16]; /* of the greeting, echoed in the hello */
};

_Static_assert(sizeof(struct meeting) == 32, "the wire layout is fixed");
_Static_assert(sizeof(struct request) == 48, "the wire layout is fixed");
_Static_assert(sizeof(struct reply) == 32, "the wire layout is fixed");

#endif
