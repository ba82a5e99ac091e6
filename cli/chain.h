/* When several programs run on a packet: libxdp's rule for going on to the next.
 *
 * Its dispatcher shifts the program's chain-call actions right by the verdict, in a 64-bit
 * register, whose shifts take the low six bits, and goes on if the lowest bit is set. Past the
 * last program the verdict is XDP_PASS.
 *
 * Source: lib/libxdp/xdp-dispatcher.c.in of xdp-tools, and its object code in Debian 12.
 */
#ifndef XL_CLI_CHAIN_H
#define XL_CLI_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

static inline bool xl_chain_goes_on(uint32_t chain_call_actions, uint32_t retval)
{
	return (uint64_t)chain_call_actions >> (retval & 63) & 1;
}

#endif
