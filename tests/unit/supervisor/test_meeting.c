/* SPDX-License-Identifier: GPL-2.0-only */
/* The rendezvous messages over a real socket pair; descriptors never leak, whatever arrives. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "../../../common/cleanup.h"
#include "../../../supervisor/credentials.h"
#include "../../../supervisor/meeting.h"

static int ours, theirs;

static void set_up(void)
{
	int fds[2], on = 1;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ours = fds[0];
	theirs = fds[1];
	cr_assert_eq(setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
}

TestSuite(meeting, .init = set_up, .timeout = 10);

static unsigned count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned count = 0;

	cr_assert_not_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

Test(meeting, descriptors_nonce_and_sender_arrive)
{
	const uint8_t nonce[16] = "fifteen letters";
	struct meeting meeting;
	pid_t sender = 0;
	int fd = -1;

	cr_assert_eq(meeting_send(theirs, MEETING_HELLO, 0, nonce, &theirs, 1), 0);
	cr_assert_eq(meeting_receive(ours, &meeting, &fd, 1, &sender), 0);
	cr_assert_eq(meeting.kind, MEETING_HELLO);
	cr_assert_arr_eq(meeting.nonce, nonce, sizeof(nonce));
	cr_assert_eq(sender, getpid());
	cr_assert_geq(fd, 0);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

Test(meeting, too_many_or_too_few_descriptors_are_refused_and_closed)
{
	struct meeting meeting;
	unsigned before = count_descriptors();
	int fd = -1;

	for (unsigned sent = 0; sent <= 2; sent += 2) {
		cr_assert_eq(
			meeting_send(theirs, MEETING_HELLO, 0, NULL, (int[]){ ours, theirs }, sent),
			0);
		cr_assert_eq(meeting_receive(ours, &meeting, &fd, 1, NULL), -EPROTO);
	}
	cr_assert_eq(fd, -1);
	cr_assert_eq(count_descriptors(), before);
}

Test(meeting, a_flood_of_descriptors_is_refused_and_closed)
{
	enum { FLOOD = 100 };
	union {
		struct cmsghdr header;
		char data[CMSG_SPACE(FLOOD * sizeof(int))];
	} control = {};
	struct meeting meeting = { .magic = FRAME_MAGIC, .version = FRAME_VERSION };
	struct iovec part = { .iov_base = &meeting, .iov_len = sizeof(meeting) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	unsigned before = count_descriptors();
	int fds[FLOOD], fd = -1, off = 0;

	for (int i = 0; i < FLOOD; i++)
		fds[i] = theirs;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	/* With and without credentials in front of them. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(sendmsg(theirs, &message, 0), sizeof(meeting));
		cr_assert_eq(meeting_receive(ours, &meeting, &fd, 1, NULL), -EPROTO);
		cr_assert_eq(count_descriptors(), before);
		meeting = (struct meeting){ .magic = FRAME_MAGIC, .version = FRAME_VERSION };
		setsockopt(ours, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
	}
}

Test(meeting, garbage_and_the_end_are_told_apart)
{
	struct meeting meeting;
	int fd = -1;

	cr_assert_eq(send(theirs, "garbage", 7, 0), 7);
	cr_assert_eq(meeting_receive(ours, &meeting, &fd, 1, NULL), -EPROTO);
	close(theirs);
	cr_assert_eq(meeting_receive(ours, &meeting, &fd, 1, NULL), -EPIPE);
}

Test(credentials, only_a_network_namespace_is_taken_for_one)
{
	_cleanup_close_ int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int mount = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t inode = 0;

	cr_assert_eq(netns_inode(net, &inode), 0);
	cr_assert_neq(inode, 0);
	cr_assert_eq(netns_inode(mount, &inode), -EINVAL);
	cr_assert_eq(netns_inode(file, &inode), -EINVAL);
	cr_assert_eq(netns_inode(-1, &inode), -EINVAL);
}

Test(credentials, a_file_that_is_named_like_a_namespace_is_none)
{
	char folder[] = "/tmp/credentials.XXXXXX", path[64];
	_cleanup_close_ int file = -1;
	uint64_t inode;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/net:[12345]", folder);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unlink(path);
	rmdir(folder);
	cr_assert_geq(file, 0);
	cr_assert_eq(netns_inode(file, &inode), -EINVAL);
}
