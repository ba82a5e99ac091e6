/* What a port's hardware tells of a packet, as a person writes it: --rx-hash and --rx-vlan. */
#ifndef XL_CLI_RX_INFO_H
#define XL_CLI_RX_INFO_H

#include "base/err.h"
#include "base/frame.h"

/* "HASH" or "HASH,TYPE", where TYPE is the number of an enum xdp_rss_hash_type. -EINVAL */
int xl_rx_info_set_hash(struct xl_rx_info *rx, const char *text, struct xl_err *e);
/* "TCI" or "TCI,PROTO", where PROTO is an EtherType. -EINVAL */
int xl_rx_info_set_vlan(struct xl_rx_info *rx, const char *text, struct xl_err *e);

#endif
