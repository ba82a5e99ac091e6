/* Runs here, where each access is checked as it happens; the kernel wants proof beforehand that the
 * packet has the byte. For diff_kernel_report_test.py. */
#include "prog.h"

SEC("xdp")
int refused(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data & 1;
}
