/* An object without an XDP program. */
#include "case.h"

SEC("tc")
int classify(struct __sk_buff *skb)
{
	return 0;
}
