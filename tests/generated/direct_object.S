/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.global direct_object, direct_object_size
	.balign 8
direct_object:
	.incbin "tests/generated/direct.bpf.o"
1:
	.balign 8
direct_object_size:
	.quad 1b - direct_object
	.section .note.GNU-stack, "", %progbits
