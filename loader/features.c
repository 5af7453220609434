/* SPDX-License-Identifier: GPL-2.0-only */
#include "features.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "../common/cleanup.h"

/* Of modules whose functions count, those that programs may call lie in the module's own BTF. */
static bool has_function(const struct btf *btf, const char *name)
{
	return btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/*
 * Conntrack is a module in most kernels, and may not be there yet: it is loaded when a table needs
 * it. Then the kernel's way to let modules offer functions to programs stands for it; both came
 * with 5.18.
 */
static bool has_connection_lookups(struct btf *kernel, bool *loaded)
{
	struct btf *module;
	bool has;

	*loaded = has_function(kernel, "bpf_skb_ct_lookup");
	if (*loaded)
		return true;
	module = btf__load_module_btf("nf_conntrack", kernel);
	*loaded = module && has_function(module, "bpf_skb_ct_lookup");
	has = module ? *loaded : has_function(kernel, "register_btf_kfunc_id_set");
	btf__free(module);
	return has;
}

int features_read(struct features *features, struct message *message)
{
	struct btf *kernel = btf__load_vmlinux_btf();

	if (!kernel)
		return message_set(message, -errno, "cannot read the kernel's BTF: %s",
				   strerror(errno));
	*features = (struct features){
		.netfilter_links = has_function(kernel, "bpf_nf_link_attach"),
		.clock = has_function(kernel, "bpf_ktime_get_tai_ns"),
	};
	features->connection_lookups =
		has_connection_lookups(kernel, &features->connection_lookups_loaded);
	btf__free(kernel);
	return 0;
}
