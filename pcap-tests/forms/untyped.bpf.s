# What LLVM before 7 and people make: labels without type or size, blocks with labels of their own,
# code that only its section names, functions that have a type but no size, and maps in the style
# of before BTF.

	.section maps, "aw", @progbits
	.globl counts
counts:
	.long 2, 4, 8, 4, 0		# array of 4

	.section xdp1, "ax", @progbits
	.globl first
first:
	r2 = *(u32 *)(r1 + 0)		# data
	r3 = *(u32 *)(r1 + 4)		# data_end
	r4 = r2
	r4 += 1
	if r4 > r3 goto LBB0_2
	r1 = *(u8 *)(r2 + 0)
	*(u32 *)(r10 - 4) = r1
	r2 = r10
	r2 += -4
	r1 = counts ll
	call 1				# bpf_map_lookup_elem
	if r0 == 0 goto LBB0_2
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1
	r0 = 2				# XDP_PASS
	exit
LBB0_2:
	r0 = 1				# XDP_DROP
	exit
	.globl second
second:
	r0 = 3				# XDP_TX
	exit

	.section xdp2, "ax", @progbits
	r0 = 3
	exit

	.section xdp3, "ax", @progbits
	.globl sizeless
	.type sizeless, @function
sizeless:
	r0 = 1
	exit
	.globl sizeless_too
	.type sizeless_too, @function
sizeless_too:
	r0 = 2
	exit

	.section license, "aw", @progbits
	.asciz "GPL"
