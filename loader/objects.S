/* SPDX-License-Identifier: GPL-2.0-only */
	.macro object name
	.balign 8
	.global object_\name\()_begin
object_\name\()_begin:
	.incbin "bpf/\name\().bpf.o"
	.global object_\name\()_end
object_\name\()_end:
	.endm

	.section .rodata
	object dispatch
	object xdp4
	object xdp6
	object tc4
	object tc6
	object classify

	.section .note.GNU-stack, "", %progbits
