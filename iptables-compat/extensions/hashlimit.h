/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBPFILTER_HASHLIMIT_H
#define UBPFILTER_HASHLIMIT_H

/* The match that is done in BPF. */
#define HASHLIMIT_NAME	   "hashlimit"
#define HASHLIMIT_REVISION 3

#endif
