/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file: lines `hook = auto|netfilter|xdp|tc`, `hook.DEVICE = ...` and `strict =
 * yes|no`,
 * `#` comments.
 */
#ifndef UBPFILTER_CONFIG_H
#define UBPFILTER_CONFIG_H

#include <net/if.h>
#include <stdbool.h>

#include "loader.h"

#define CONFIG_DEVICES_MAX 256

struct config {
	enum hook_choice hook; /* of devices that are not named below */
	struct {
		char name[IF_NAMESIZE];
		enum hook_choice hook;
	} devices[CONFIG_DEVICES_MAX];
	size_t device_count;
	bool strict; /* refuse what BPF does not do, instead of handing it to the kernel */
};

/** config_read() - read @path; a file that is not there is an empty one. -EINVAL names the line. */
int config_read(struct config *config, const char *path, struct message *message);

/** config_hook() - the hook chosen for a device. */
enum hook_choice config_hook(const struct config *config, const char *device);

/** yes_parse() - "yes", "no". Return: 0 or -EINVAL. */
int yes_parse(const char *text, bool *yes);

/** hook_parse() - "auto", "xdp", "tc". Return: 0 or -EINVAL. */
int hook_parse(const char *text, enum hook_choice *hook);

/** hook_text() - the reverse. */
const char *hook_text(enum hook_choice hook);

#endif
