/* Claim: every map type does what the model does, whatever is done to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "maps/map_test_drive.h"

#define N_STEPS 20000 /* chosen: about a second for all shapes with sanitizers */

static void every_type_does_what_the_model_does(void **state)
{
	static struct drive d;

	for (size_t i = 0; i < N_SHAPES; i++) {
		struct source source = { .state = i + 1 };

		drive_init(&d, &shapes[i], 1 + i % 3);
		for (unsigned n = 0; n < N_STEPS; n++) {
			drive_one(&d, &source);
			if (n % 64 == 0)
				drive_walk(&d);
		}
		drive_fini(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_does_what_the_model_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
