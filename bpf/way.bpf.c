/* SPDX-License-Identifier: GPL-2.0-only */
/* What early stages ask in front of a table of the kernel's, where no netfilter stage brings it. */
#include "types.h"
#include "way.h"

char _license[] SEC("license") = "GPL";
