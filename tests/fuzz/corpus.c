/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes seeds for the libFuzzer target into a folder: tables of many shapes, good and spoilt. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../common/cleanup.h"
#include "../../common/io.h"
#include "blob.h"

#define SEEDS	      200
#define SEED_SIZE_MAX 16384 /* small seeds fuzz faster */

static int write_seed(int folder, unsigned number, unsigned char choice, const struct blob *blob)
{
	_cleanup_close_ int fd = -1;
	char name[32];
	int error;

	snprintf(name, sizeof(name), "seed-%03u", number);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = io_write(fd, &choice, 1);
	return error ? error : io_write(fd, blob->data, blob->size);
}

int main(int argc, char **argv)
{
	int folder = argc == 2 ? open(argv[1], O_DIRECTORY | O_RDONLY | O_CLOEXEC) : -1;
	struct random random = { .state = 1 };

	if (folder < 0) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	for (unsigned number = 0; number < SEEDS; number++) {
		enum family family = number % 2 ? FAMILY_IPV6 : FAMILY_IPV4;
		struct blob blob = blob_generate(family, &random);
		int error;

		blob_replace(&blob)->num_counters = 4; /* as many as the initial table has */
		if (number % 4 >= 2)
			blob_mutate(&blob, family, &random);
		error = blob.size > SEED_SIZE_MAX
				? 0
				: write_seed(folder, number, family == FAMILY_IPV6, &blob);
		blob_free(&blob);
		if (error) {
			fprintf(stderr, "%s: %s\n", argv[1], strerror(-error));
			return 1;
		}
	}
	return 0;
}
