/* A runtime's life; see runtime.h.
 *
 * Objects are held by fds and pins, by each other, and by whoever loaded them. A map that holds
 * programs and a program that uses the map hold each other; a prog array is therefore emptied as
 * soon as its last fd and pin have gone, as in the kernel, and at the end every map that holds
 * objects is.
 */
#include "xdp-runtime/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/percpu.h"
#include "xdp-runtime/engine.h"
#include "xdp-runtime/fib/fib.h"
#include "xdp-runtime/handle.h"
#include "xdp-runtime/prog.h"
#include "xdp-runtime/region.h"

static void user_gone(struct xl_obj *obj)
{
	struct xl_runtime *rt = obj->owner;

	if (obj->kind != XL_OBJ_MAP)
		return;
	xl_map_release_uref(xl_map_of(obj));
	if (xl_map_of(obj)->timer_off >= 0)
		xl_timers_forget(&rt->timers, xl_map_of(obj), NULL);
}

static void unpublish(struct xl_obj *obj)
{
	struct xl_runtime *rt = obj->owner;

	pthread_mutex_lock(&rt->lock);
	xl_handle_forget(rt->handles, obj);
	if (obj->kind == XL_OBJ_MAP)
		xl_region_remove(rt, xl_map_of(obj));
	if (obj->kind == XL_OBJ_MAP && xl_map_of(obj)->timer_off >= 0)
		xl_timers_forget(&rt->timers, xl_map_of(obj), NULL);
	else if (obj->kind == XL_OBJ_PROG)
		xl_timers_forget(&rt->timers, NULL, xl_prog_of(obj));
	pthread_mutex_unlock(&rt->lock);
}

int xl_runtime_publish(struct xl_runtime *rt, struct xl_obj *obj)
{
	const bool is_map = obj->kind == XL_OBJ_MAP;
	int err = 0;

	pthread_mutex_lock(&rt->lock);
	if (is_map)
		err = xl_region_add(rt, xl_map_of(obj));
	if (err)
		goto out;
	err = xl_handle_publish(rt->handles, obj, is_map ? xl_map_of(obj)->mem.fd : -1);
	if (err) {
		if (is_map)
			xl_region_remove(rt, xl_map_of(obj));
		goto out;
	}
	obj->owner = rt;
	obj->unpublish = unpublish;
out:
	pthread_mutex_unlock(&rt->lock);
	return err;
}

int xl_runtime_obj_by_id(struct xl_runtime *rt, enum xl_obj_kind kind, uint32_t id,
			 struct xl_obj **out_obj)
{
	struct xl_obj *obj;
	int err = -ENOENT;

	pthread_mutex_lock(&rt->lock);
	obj = xl_handle_by_id(rt->handles, kind, id);
	if (obj && xl_obj_tryget(obj)) {
		*out_obj = obj;
		err = 0;
	}
	pthread_mutex_unlock(&rt->lock);
	return err;
}

/* What a map no longer holds, but a program may be looking at. */
struct retired {
	struct xl_epoch_deferred deferred; /* first */
	struct xl_obj *obj;
};

static void put_retired(struct xl_epoch_deferred *deferred)
{
	struct retired *r = (struct retired *)deferred;

	xl_obj_put(r->obj);
	free(r);
}

static void defer_put(void *arg, struct xl_obj *obj)
{
	struct xl_runtime *rt = arg;
	struct retired *r = malloc(sizeof(*r));

	pthread_mutex_lock(&rt->lock);
	if (r) {
		r->obj = obj;
		xl_epoch_defer(rt->epoch, &r->deferred, put_retired);
	} else {
		xl_epoch_wait(rt->epoch);
		xl_obj_put(obj);
	}
	pthread_mutex_unlock(&rt->lock);
}

int xl_runtime_worker_join(struct xl_runtime *rt, uint32_t *out_worker)
{
	int err = -EBUSY;

	pthread_mutex_lock(&rt->lock);
	for (uint32_t i = 0; err && i < XL_EPOCH_WORKERS_MAX; i++) {
		if (rt->workers[i / 64] >> i % 64 & 1)
			continue;
		rt->workers[i / 64] |= UINT64_C(1) << i % 64;
		*out_worker = i;
		err = 0;
	}
	pthread_mutex_unlock(&rt->lock);
	return err;
}

void xl_runtime_worker_leave(struct xl_runtime *rt, uint32_t worker)
{
	pthread_mutex_lock(&rt->lock);
	rt->workers[worker / 64] &= ~(UINT64_C(1) << worker % 64);
	xl_epoch_poll(rt->epoch);
	pthread_mutex_unlock(&rt->lock);
}

static int init_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int err = pthread_mutexattr_init(&attr);

	if (err)
		return -err;
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	err = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return -err;
}

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uintptr_t)&seed; /* early boot: the stack's place is what there is */
	return seed;
}

int xl_runtime_create(const struct xl_runtime_opts *opts, struct xl_runtime **out_rt)
{
	struct xl_runtime *rt = calloc(1, sizeof(*rt));
	int err;

	if (!rt)
		return -ENOMEM;
	rt->map_env.n_cpus = opts->n_cpus ? opts->n_cpus : xl_percpu_n_possible();
	rt->map_env.seed = opts->seed ? opts->seed : random_seed();
	rt->map_env.defer_put = defer_put;
	rt->map_env.defer_arg = rt;
	rt->engine = opts->engine ? opts->engine : &xl_interp;
	rt->verify = opts->verify;
	err = -ENOMEM;
	rt->epoch = aligned_alloc(_Alignof(struct xl_epoch), sizeof(struct xl_epoch));
	if (!rt->epoch)
		goto err_rt;
	xl_epoch_init(rt->epoch);
	err = init_lock(&rt->lock);
	if (err)
		goto err_epoch;
	err = xl_handles_create(user_gone, &rt->handles);
	if (err)
		goto err_lock;
	err = xl_fib_create(&rt->fib);
	if (err)
		goto err_handles;
	*out_rt = rt;
	return 0;

err_handles:
	xl_handles_destroy(rt->handles);
err_lock:
	pthread_mutex_destroy(&rt->lock);
err_epoch:
	free(rt->epoch);
err_rt:
	free(rt);
	return err;
}

/* Deletes every element. The key after this one is asked for before this one goes. */
static void empty_map(struct xl_map *map)
{
	uint8_t *keys = malloc(2 * (size_t)map->key_size);
	uint8_t *key = keys, *next = keys + map->key_size, *tmp;
	int err;

	if (!keys)
		return; /* then a cycle stays, and its memory with it */
	for (err = xl_map_next_key(map, NULL, key); !err;) {
		err = xl_map_next_key(map, key, next);
		xl_map_sys_delete(map, key);
		tmp = key;
		key = next;
		next = tmp;
	}
	free(keys);
}

/* Empties all maps that hold programs or maps, so that nothing keeps itself alive. */
static void break_cycles(struct xl_runtime *rt)
{
	struct xl_obj *obj;
	struct xl_map *map;
	uint32_t id = 0;

	while ((id = xl_handle_next_id(rt->handles, XL_OBJ_MAP, id))) {
		if (xl_runtime_obj_by_id(rt, XL_OBJ_MAP, id, &obj))
			continue;
		map = xl_map_of(obj);
		if (map->ops->value_kind != XL_VALUE_BYTES)
			empty_map(map);
		xl_map_put(map);
	}
}

void xl_runtime_destroy(struct xl_runtime *rt)
{
	if (!rt)
		return;
	pthread_mutex_lock(&rt->lock);
	break_cycles(rt);
	xl_handles_destroy(rt->handles);
	xl_epoch_fini(rt->epoch);
	pthread_mutex_unlock(&rt->lock);
	xl_fib_destroy(rt->fib);
	free(rt->epoch);
	pthread_mutex_destroy(&rt->lock);
	xl_timers_fini(&rt->timers);
	free(rt);
}
