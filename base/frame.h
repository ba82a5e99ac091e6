/* hot */
/* A frame: one packet with its buffer, as the kernel's struct xdp_buff describes it.
 *
 *   hard_start      data_meta   data            data_end        hard_end
 *   |--- headroom ---|-- meta --|--- packet -----|--- tailroom ---|
 *
 * Headroom is XL_HEADROOM bytes when a driver hands a frame over. The first
 * XL_HEADROOM_RESERVED bytes of it are never given to a program, as in the kernel, which keeps
 * a struct xdp_frame there; so adjust_head can go back 216 bytes, and not 256.
 * data_meta == data: no metadata.
 *
 * A multi-buffer frame has its first part here and the rest in frags[]; programs read the
 * linear part directly and the rest through xdp_load_bytes.
 *
 * Source: include/net/xdp.h (struct xdp_buff), net/core/filter.c.
 */
#ifndef XL_BASE_FRAME_H
#define XL_BASE_FRAME_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_HEADROOM	     256u  /* XDP_PACKET_HEADROOM */
#define XL_HEADROOM_RESERVED 40u   /* sizeof(struct xdp_frame) on 64-bit */
#define XL_TAIL_RESERVED     320u  /* SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) */
#define XL_ETH_HLEN	     14u   /* a program may not shrink a frame below this */
#define XL_FRAGS_MAX	     17u   /* MAX_SKB_FRAGS */
#define XL_FRAG_SIZE	     4096u /* a page each, as in the kernel's test run */
/* The first part of a packet in fragments, and the longest such packet. */
#define XL_LINEAR_MAX	  (4096u - XL_HEADROOM - XL_TAIL_RESERVED)
#define XL_FRAGMENTED_MAX (XL_LINEAR_MAX + XL_FRAGS_MAX * XL_FRAG_SIZE)
/* What it can grow to. */
#define XL_FRAGMENTED_ROOM ((1 + XL_FRAGS_MAX) * XL_FRAG_SIZE)
#define XL_BURST_MAX	   64u /* frames handled together; chosen: DPDK's and AF_XDP's usual 64 */

struct xl_frag {
	uint8_t *addr;
	uint32_t len;  /* bytes in use */
	uint32_t size; /* room from addr on */
};

/* What the port's hardware tells of a packet beside its bytes. */
struct xl_rx_info {
	bool has_time, has_hash, has_vlan; /* has_time: time_ns of the frame */
	uint32_t hash;
	uint32_t hash_type;  /* enum xdp_rss_hash_type of the kernel */
	uint16_t vlan_proto; /* network order */
	uint16_t vlan_tci;   /* host order */
};

struct xl_frame {
	uint8_t *hard_start;
	uint8_t *data_meta;
	uint8_t *data;
	uint8_t *data_end;
	uint8_t *hard_end;
	uint64_t time_ns; /* when it arrived; the clock of a replay */
	uint32_t ifindex; /* port it came in by */
	uint32_t rx_queue;
	uint32_t egress_ifindex; /* set for devmap programs only */
	uint32_t n_frags;
	struct xl_frag *frags;	     /* n_frags of them; NULL when linear */
	const struct xl_rx_info *rx; /* NULL: nothing is told */
};

struct xl_burst {
	uint32_t n; /* 0..XL_BURST_MAX */
	struct xl_frame *frame[XL_BURST_MAX];
};

static inline uint32_t xl_frame_linear_len(const struct xl_frame *f)
{
	return (uint32_t)(f->data_end - f->data);
}

static inline uint32_t xl_frame_meta_len(const struct xl_frame *f)
{
	return (uint32_t)(f->data - f->data_meta);
}

/* Length of the packet with all its fragments. */
uint32_t xl_frame_len(const struct xl_frame *f);

/* Copies [@off, @off + @len) of the packet, fragments included, to or from @buf.
 * @buf    may be a part of the packet
 * Errors  -EINVAL when the range does not lie in the packet; nothing is copied then. */
int xl_frame_read(const struct xl_frame *f, uint32_t off, void *buf, uint32_t len);
int xl_frame_write(struct xl_frame *f, uint32_t off, const void *buf, uint32_t len);

/* Size of a buffer that holds a linear packet of @len bytes as the kernel would: a page for
 * packets that fit into one, else just enough. Always a multiple of 64. */
size_t xl_frame_buf_size(uint32_t len);

/* Lays out @f over @buf, empty headroom in front, and copies the packet into it.
 * Everything else of the frame is zeroed.
 *
 * @buf_size at least xl_frame_buf_size(len)
 * Owns      @buf stays the caller's and must outlive the frame.
 */
void xl_frame_init(struct xl_frame *f, void *buf, size_t buf_size, const void *packet,
		   uint32_t len);

/* Size of a buffer that holds a packet of @len bytes, at most XL_FRAGMENTED_MAX, in fragments. */
size_t xl_frame_frags_buf_size(uint32_t len);

/* As xl_frame_init(), but what is beyond XL_LINEAR_MAX bytes goes into fragments of a page each:
 * how the kernel's test run and drivers with buffers of a page lay out a long packet.
 *
 * @buf_size xl_frame_frags_buf_size(len) or more
 * @frags    room for XL_FRAGS_MAX; the frame keeps it
 */
void xl_frame_init_frags(struct xl_frame *f, void *buf, size_t buf_size, struct xl_frag *frags,
			 const void *packet, uint32_t len);

#endif
