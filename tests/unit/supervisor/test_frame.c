/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames over real pipes, whole and in parts, good and bad. */
#include <criterion/criterion.h>
#include <fcntl.h>

#include "../../../common/cleanup.h"
#include "../../../common/io.h"
#include "../../../supervisor/frame.h"

static const struct request good = {
	.magic = FRAME_MAGIC,
	.version = FRAME_VERSION,
	.kind = FRAME_SOCKOPT,
	.sequence = 7,
	.len = 100,
};

static struct reply good_reply(void)
{
	return reply_to(&good, -EINVAL, 10, 10);
}

Test(frame, a_reply_to_a_request_is_its_reply)
{
	struct reply reply = good_reply();

	cr_assert_eq(request_check(&good), 0);
	cr_assert_eq(reply_check(&reply, &good), 0);
}

Test(frame, requests_of_another_protocol_are_refused)
{
	struct request bad[] = { good, good, good, good };

	bad[0].magic++;
	bad[1].version++;
	bad[2].kind = 0;
	bad[3].kind = FRAME_CONTROL + 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(request_check(&bad[i]), -EPROTO, "%zu", i);
}

Test(frame, lengths_are_bounded)
{
	struct request request = good;
	struct reply reply = good_reply();

	request.len = FRAME_LENGTH_MAX;
	cr_assert_eq(request_check(&request), 0);
	request.len++;
	cr_assert_eq(request_check(&request), -EMSGSIZE);
	reply.len = FRAME_LENGTH_MAX + 1;
	cr_assert_eq(reply_check(&reply, &good), -EMSGSIZE);
}

Test(frame, replies_to_something_else_are_refused)
{
	struct reply bad[7];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good_reply();
	bad[0].magic++;
	bad[1].version++;
	bad[2].kind = FRAME_CONTROL;
	bad[3].sequence++;
	bad[4].message_len = bad[4].len + 1;
	bad[5].status = 1;
	bad[6].reserved = 1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(reply_check(&bad[i], &good), -EPROTO, "%zu", i);
}

struct ends {
	int reading, writing;
};

static struct ends open_pipe(void)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	/* A page: the least that the kernel allows, so that everything comes in parts. */
	cr_assert(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	return (struct ends){ fds[0], fds[1] };
}

Test(frame, a_large_frame_crosses_a_small_pipe_in_parts, .timeout = 20)
{
	const size_t size = 3 << 20;
	struct ends ends = open_pipe();
	struct inflow in = {};
	_cleanup_free_ unsigned char *sent = malloc(size);
	struct outflow out = { .parts = {
				       { .iov_base = sent, .iov_len = 48 },
				       { .iov_base = sent + 48, .iov_len = size - 48 },
			       } };
	int sending = -EAGAIN, receiving = -EAGAIN, parts = 0;

	for (size_t i = 0; i < size; i++)
		sent[i] = (unsigned char)(i * 7 >> 3);
	inflow_reset(&in, size);
	while (sending == -EAGAIN || receiving == -EAGAIN) {
		if (sending == -EAGAIN)
			sending = outflow_send(&out, ends.writing);
		receiving = inflow_receive(&in, ends.reading);
		parts++;
	}
	cr_assert_eq(sending, 0);
	cr_assert_eq(receiving, 0);
	cr_assert_gt(parts, 100);
	cr_assert_eq(memcmp(in.data, sent, size), 0);
	inflow_reset(&in, 0);
}

Test(frame, memory_follows_what_came_not_what_was_announced)
{
	struct ends ends = open_pipe();
	struct inflow in = {};

	inflow_reset(&in, FRAME_LENGTH_MAX);
	cr_assert_eq(io_write(ends.writing, "abc", 3), 0);
	cr_assert_eq(inflow_receive(&in, ends.reading), -EAGAIN);
	cr_assert_eq(in.got, 3);
	cr_assert_leq(in.capacity, 1 << 20);
	inflow_reset(&in, 0);
}

Test(frame, an_end_in_the_middle_is_told_from_waiting)
{
	struct ends ends = open_pipe();
	struct inflow in = {};

	inflow_reset(&in, 10);
	cr_assert_eq(io_write(ends.writing, "abc", 3), 0);
	cr_assert_eq(inflow_receive(&in, ends.reading), -EAGAIN);
	close(ends.writing);
	cr_assert_eq(inflow_receive(&in, ends.reading), -EPIPE);
	inflow_reset(&in, 0);
}
