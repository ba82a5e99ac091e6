/* Bytes as hex digits, two each, without anything between them: how `exec` has them in JSON. */
#ifndef XL_CLI_HEX_H
#define XL_CLI_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads @len digits of either case into @len / 2 bytes of @out.
 * Returns   false for an odd number of them, or what is no digit */
bool xl_hex_parse(const char *text, size_t len, uint8_t *out);

/* Writes 2 * @n digits, and no NUL. */
void xl_hex_format(const uint8_t *bytes, size_t n, char *out);

#endif
