/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>

/* Both families; packets from anywhere are routed out of the second device, or are local. */
static const char *const commands[] = {
	"ip link set lo up",
	"ip link add gin address 02:09:00:00:00:01 type veth peer name gin-peer",
	"ip link add gout address 02:09:00:00:00:02 type veth peer name gout-peer",
	"ip link set gin up && ip link set gin-peer up",
	"ip link set gout up && ip link set gout-peer up",
	"ip address add 10.9.1.254/24 dev gin && ip address add 10.9.2.254/24 dev gout",
	"ip address add fd09:1::fe/64 dev gin nodad && ip address add fd09:2::fe/64 dev gout nodad",
	"echo 1 >/proc/sys/net/ipv4/ip_forward",
	"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
};

/* BPF_PROG_TEST_RUN takes a device for XDP only if one is attached to it. */
static int attach_pass(unsigned index, struct message *message)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int fd =
		bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", pass, ARRAY_SIZE(pass), NULL);

	if (fd < 0)
		return message_set(message, -errno, "cannot load a program for the device: %m");
	if (bpf_xdp_attach((int)index, fd, XDP_FLAGS_DRV_MODE, NULL))
		return message_set(message, -errno, "cannot attach a program to the device: %m");
	return 0;
}

int ground_make(struct ground *ground, struct message *message)
{
	*ground = (struct ground){
		.devices = {
			[DEVICE_IN] = { "gin", { 2, 9, 0, 0, 0, 1 }, 0 },
			[DEVICE_OUT] = { "gout", { 2, 9, 0, 0, 0, 2 }, 0 },
		},
	};
	if (unshare(CLONE_NEWNET))
		return message_set(message, -errno, "cannot make a network namespace: %m");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (system(commands[i]))
			return message_set(message, -EIO, "failed: %s", commands[i]);
	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		ground->devices[i].index = if_nametoindex(ground->devices[i].name);
		if (!ground->devices[i].index)
			return message_set(message, -errno, "no device %s",
					   ground->devices[i].name);
	}
	return attach_pass(ground->devices[DEVICE_IN].index, message);
}
