/* Addresses as people write them, for keys and values of maps: "10.0.0.1" for 4 bytes,
 * "aa:bb:cc:dd:ee:ff" for 6, "2001:db8::1" for 16, and "10.0.0.0/8" for a key of an LPM trie.
 *
 * Bytes come out in network order, as they lie in a packet.
 */
#ifndef XL_CLI_ADDR_TEXT_H
#define XL_CLI_ADDR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether @text is an address of exactly @size bytes; then they are in @out, else @out is as it
 * was. */
bool xl_addr_parse(const char *text, void *out, size_t size);

/* Whether @text is "address/length" for an LPM key of @size bytes: struct bpf_lpm_trie_key, a u32
 * length and the address. Bits beyond the length are kept as written; the trie ignores them. */
bool xl_addr_parse_prefix(const char *text, void *out, size_t size);

#endif
