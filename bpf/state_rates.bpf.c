/* SPDX-License-Identifier: GPL-2.0-only */
/* Stateful matches of tables with rates, which the netfilter stage alone has (Linux 6.4). */
#define STATE_RATES
#include "state.bpf.c"
