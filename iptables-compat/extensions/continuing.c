/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets behind which the next rule always looks at the packet, whatever their data say: nothing
 * of these is read here. The kernel checks the data when its table gets them.
 */
#include "extensions.h"

#include <linux/netfilter/xt_AUDIT.h>
#include <linux/netfilter/xt_CONNMARK.h>
#include <linux/netfilter/xt_HMARK.h>
#include <linux/netfilter/xt_IDLETIMER.h>
#include <linux/netfilter/xt_RATEEST.h>
#include <linux/netfilter/xt_TEE.h>
#include <linux/netfilter/xt_set.h>

/* Where the kernel keeps a pointer of its own behind what clients say. */
#define UP_TO(type, member) sizeof(type), .user_size = offsetof(type, member)

#define SET_OPTIONS "--add-set, --del-set, --timeout, --exist"

const struct target_extension targets_continuing[CONTINUING_TARGETS] = {
	{ "CONNMARK", 1, FAMILIES_ALL, .size = sizeof(struct xt_connmark_tginfo1),
	  .changes = { "connmark", "mark" },
	  .options = "--set-xmark, --save-mark, --restore-mark" },
	{ "CONNMARK", 2, FAMILIES_ALL, .size = sizeof(struct xt_connmark_tginfo2),
	  .changes = { "connmark", "mark" },
	  .options = "--set-xmark, --save-mark, --restore-mark, --left-shift-mark, "
		     "--right-shift-mark" },
	{ "HMARK", 0, FAMILIES_ALL, .size = sizeof(struct xt_hmark_info), .changes = { "mark" },
	  .options =
		  "--hmark-tuple, --hmark-mod, --hmark-offset, --hmark-rnd, --hmark-src-prefix, "
		  "--hmark-dst-prefix, --hmark-sport-mask, --hmark-dport-mask, --hmark-spi-mask, "
		  "--hmark-proto-mask" },
	{ "SET", 0, FAMILY_BIT(FAMILY_IPV4), .size = sizeof(struct xt_set_info_target_v0),
	  .changes = { "set" }, .options = SET_OPTIONS },
	{ "SET", 1, FAMILIES_ALL, .size = sizeof(struct xt_set_info_target_v1),
	  .changes = { "set" }, .options = SET_OPTIONS },
	{ "SET", 2, FAMILIES_ALL, .size = sizeof(struct xt_set_info_target_v2),
	  .changes = { "set" }, .options = SET_OPTIONS },
	{ "SET", 3, FAMILIES_ALL, .size = sizeof(struct xt_set_info_target_v3),
	  .changes = { "set" }, .options = SET_OPTIONS },
	{ "TEE", 1, FAMILIES_ALL, .size = UP_TO(struct xt_tee_tginfo, priv),
	  .options = "--gateway, --oif" },
	{ "AUDIT", 0, FAMILIES_ALL, .size = sizeof(struct xt_audit_info), .options = "--type" },
	{ "IDLETIMER", 0, FAMILIES_ALL, .size = UP_TO(struct idletimer_tg_info, timer),
	  .options = "--timeout, --label" },
	{ "IDLETIMER", 1, FAMILIES_ALL, .size = UP_TO(struct idletimer_tg_info_v1, timer),
	  .options = "--timeout, --label, --alarm" },
	{ "RATEEST", 0, FAMILIES_ALL, .size = UP_TO(struct xt_rateest_target_info, est),
	  .changes = { "rateest" },
	  .options = "--rateest-name, --rateest-interval, --rateest-ewmalog" },
};
