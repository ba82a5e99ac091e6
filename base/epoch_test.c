/* Claims about epochs. */
#include "base/epoch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static int n_freed;

static void count_free(struct xl_epoch_deferred *self)
{
	n_freed++;
	free(self);
}

static void a_deferred_free_waits_for_each_online_worker(void **state)
{
	struct xl_epoch *e = aligned_alloc(64, sizeof(*e));

	xl_epoch_init(e);
	xl_epoch_online(e, 0);
	xl_epoch_online(e, 7);
	n_freed = 0;
	xl_epoch_defer(e, malloc(sizeof(struct xl_epoch_deferred)), count_free);
	assert_int_equal(n_freed, 0);
	xl_epoch_quiescent(e, 0);
	xl_epoch_poll(e);
	assert_int_equal(n_freed, 0);
	xl_epoch_quiescent(e, 7);
	xl_epoch_poll(e);
	assert_int_equal(n_freed, 1);
	xl_epoch_defer(e, malloc(sizeof(struct xl_epoch_deferred)), count_free);
	xl_epoch_offline(e, 0);
	xl_epoch_offline(e, 7);
	xl_epoch_fini(e);
	assert_int_equal(n_freed, 2);
	free(e);
}

struct shared {
	struct xl_epoch epoch;
	_Atomic(int *) published;
	_Atomic int stop;
};

static void *reader(void *arg)
{
	struct shared *s = arg;

	xl_epoch_online(&s->epoch, 1);
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		for (int i = 0; i < 64; i++) {
			int *p = atomic_load_explicit(&s->published, memory_order_acquire);

			if (*p != 42)
				abort();
		}
		xl_epoch_quiescent(&s->epoch, 1);
	}
	xl_epoch_offline(&s->epoch, 1);
	return NULL;
}

static void a_reader_never_sees_a_freed_version(void **state)
{
	struct shared *s = aligned_alloc(64, sizeof(*s));
	pthread_t thread;
	int *version = malloc(sizeof(int));

	*version = 42;
	xl_epoch_init(&s->epoch);
	atomic_init(&s->published, version);
	atomic_init(&s->stop, 0);
	assert_int_equal(pthread_create(&thread, NULL, reader, s), 0);
	for (int i = 0; i < 500; i++) {
		int *next = malloc(sizeof(int)), *old;

		*next = 42;
		old = atomic_exchange_explicit(&s->published, next, memory_order_acq_rel);
		xl_epoch_wait(&s->epoch);
		*old = 0;
		free(old);
	}
	atomic_store(&s->stop, 1);
	pthread_join(thread, NULL);
	free(atomic_load(&s->published));
	xl_epoch_fini(&s->epoch);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deferred_free_waits_for_each_online_worker),
		cmocka_unit_test(a_reader_never_sees_a_freed_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
