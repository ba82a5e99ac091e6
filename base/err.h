/* One error, in words for a person: what happened, where, what to do.
 *
 * Functions below the edge (cli/, main.c) return -errno; those whose failure needs more than
 * a number also fill a struct xl_err. The edge prints it once.
 */
#ifndef XL_BASE_ERR_H
#define XL_BASE_ERR_H

struct xl_err {
	int err;	 /* -errno, 0 while unset */
	char text[1024]; /* one line without a newline; "" while unset */
};

/* Sets *@e unless it is set already: the innermost cause wins.
 *
 * @e        may be NULL
 * @err      -errno
 * Returns   @err, so that a caller can write `return xl_err_set(e, -EINVAL, "...")`.
 */
__attribute__((format(printf, 3, 4))) int xl_err_set(struct xl_err *e, int err, const char *fmt,
						     ...);

/* Puts "prefix: " before the text of a set error. */
__attribute__((format(printf, 2, 3))) void xl_err_prefix(struct xl_err *e, const char *fmt, ...);

#endif
