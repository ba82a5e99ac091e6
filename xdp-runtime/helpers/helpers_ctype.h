/* hot */
/* The kernel's character classes, which are those of Latin-1.
 *
 * Source: lib/ctype.c.
 */
#ifndef XL_XDP_RUNTIME_HELPERS_CTYPE_H
#define XL_XDP_RUNTIME_HELPERS_CTYPE_H

#include <stdbool.h>
#include <stdint.h>

static inline bool xl_ctype_space(uint8_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0xa0;
}

static inline bool xl_ctype_alnum(uint8_t c)
{
	if (c < 0x80)
		return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
	return c >= 0xc0 && c != 0xd7 && c != 0xf7;
}

/* isprint() without letters, digits and spaces. */
static inline bool xl_ctype_punct(uint8_t c)
{
	return c > ' ' && (c < 0x7f || c > 0xa0) && !xl_ctype_alnum(c);
}

#endif
