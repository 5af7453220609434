/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of what conntrack knows, for -m conntrack and -m state. */
#ifndef UBPFILTER_CONNECTION_NAMES_H
#define UBPFILTER_CONNECTION_NAMES_H

#include <stdint.h>
#include <stdio.h>

/** print_states() - append " NEW,ESTABLISHED"; @states: enum connection_state. */
void print_states(FILE *out, unsigned states);

/** print_statuses() - append " ASSURED,CONFIRMED" or " NONE"; @statuses: IPS_*. */
void print_statuses(FILE *out, unsigned statuses);

#endif
