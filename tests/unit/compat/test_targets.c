/* SPDX-License-Identifier: GPL-2.0-only */
/* Targets of which nothing is known but their size, held against the kernel's. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../common/cleanup.h"
#include "../../../iptables-compat/extension.h"
#include "../../../iptables-compat/layout.h"
#include "../../support/kernel.h"

static const char rules[] =
	"*filter\n"
	"-A INPUT -j CONNMARK --set-mark 5\n"
	"-A INPUT -p tcp -j HMARK --hmark-tuple src --hmark-mod 1 --hmark-rnd 1\n"
	"-A FORWARD -j IDLETIMER --timeout 600 --label unit-test\n"
	"-A FORWARD -j AUDIT --type drop\n"
	"-A OUTPUT -j TEE --gateway lo-address\n"
	"-A OUTPUT -j RATEEST --rateest-name unit-test --rateest-interval 250ms "
	"--rateest-ewmalog 500ms\n"
	"COMMIT\n";

/* The rules, with an address of the family. */
static char *rules_of(enum family family)
{
	static const char placeholder[] = "lo-address";
	const char *at = strstr(rules, placeholder);
	char *text = NULL;

	if (asprintf(&text, "%.*s%s%s", (int)(at - rules), rules,
		     family == FAMILY_IPV4 ? "127.0.0.1" : "::1", at + strlen(placeholder)) < 0)
		abort();
	return text;
}

/* Fill what the kernel keeps for itself behind a target's data. Return: how many bytes. */
static size_t spoil(enum family family, unsigned char *entries, size_t size)
{
	const struct layout *layout = layout_get(family);
	size_t spoilt = 0;

	for (size_t at = 0; at < size; at += field_u16(entries + at, layout->next_offset)) {
		struct xt_entry_target *target =
			(void *)(entries + at + field_u16(entries + at, layout->target_offset));
		const struct target_extension *extension =
			target_find(family, target->u.user.name, target->u.user.revision);
		size_t kept;

		if (!extension)
			continue;
		kept = extension->user_size ? extension->user_size : extension->size;
		memset(target->data + kept, 0xff, XT_ALIGN(extension->size) - kept);
		spoilt += XT_ALIGN(extension->size) - kept;
	}
	return spoilt;
}

Test(targets, hand_out_what_the_kernel_hands_out)
{
	static const enum family families[] = { FAMILY_IPV4, FAMILY_IPV6 };
	int error = kernel_enter();

	if (error && !kernel_required())
		cr_skip_test("no network namespace or no legacy iptables: %s", strerror(-error));
	cr_assert_eq(error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *const restore[] = { families[i] == FAMILY_IPV4
							? "iptables-legacy-restore"
							: "ip6tables-legacy-restore",
						NULL };
		_cleanup_free_ char *text = rules_of(families[i]);
		_cleanup_free_ unsigned char *theirs = NULL;
		_cleanup_free_ void *blob = NULL;
		struct ipt_replace *replace;
		struct message message = {};
		struct table *ours = NULL;
		uint32_t counters;
		size_t size;

		if (kernel_run(restore, text, NULL))
			cr_skip_test("the kernel has not all of these targets");
		cr_assert_eq(kernel_table(families[i], &blob, &size), 0);
		replace = blob;
		theirs = malloc(replace->size);
		memcpy(theirs, replace->entries, replace->size);
		cr_expect_gt(spoil(families[i], (unsigned char *)replace->entries, replace->size),
			     3 * sizeof(void *));
		error = table_decode(families[i], blob, size, &ours, &counters, &message);
		cr_assert_eq(error, 0, "%s", message.text);
		cr_expect_arr_eq(ours->entries, theirs, ours->size);
		table_free(ours);
	}
}
