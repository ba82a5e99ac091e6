/* CPUs; see percpu.h. Source: Documentation/admin-guide/cputopology.rst (cpulist format). */
#include "base/percpu.h"

#include <stdatomic.h>
#include <stdio.h>

_Thread_local uint32_t xl_cpu;

static uint32_t read_possible(void)
{
	FILE *f = fopen(XL_CPUS_POSSIBLE, "re");
	uint32_t last = 0, id;
	int c;

	if (!f) {
		const long n = sysconf(_SC_NPROCESSORS_CONF);

		return n > 0 ? (uint32_t)n : 1;
	}
	while (fscanf(f, "%u", &id) == 1) {
		if (id > last)
			last = id;
		c = fgetc(f);
		if (c != '-' && c != ',')
			break;
	}
	fclose(f);
	return last + 1;
}

uint32_t xl_percpu_n_possible(void)
{
	static _Atomic uint32_t n;
	uint32_t now = atomic_load_explicit(&n, memory_order_relaxed);

	if (!now) {
		now = read_possible();
		atomic_store_explicit(&n, now, memory_order_relaxed);
	}
	return now;
}
