/* SPDX-License-Identifier: GPL-2.0-only */
	.macro object name
	.balign 8
	.global object_\name
object_\name:
	.incbin "bpf/\name\().bpf.o"
1:
	.balign 8
	.global object_\name\()_size
object_\name\()_size:
	.quad 1b - object_\name
	.endm

	.section .rodata
	object dispatch
	object dispatch_netfilter
	object xdp4
	object xdp6
	object tc4
	object tc6
	object connection4
	object connection6
	object trace4
	object trace6
	object way4
	object way6
	object netfilter4
	object netfilter6
	object xdp4c
	object xdp6c
	object tc4c
	object tc6c
	object netfilter4c
	object netfilter6c
	object state
	object wall_clock
	object state_rates
	object groups
	object xdp_early4
	object xdp_early6
	object xdp_early4c
	object xdp_early6c
	object tc_early4
	object tc_early6
	object tc_early4c
	object tc_early6c
	object surroundings
	object execute

	.section .note.GNU-stack, "", %progbits
