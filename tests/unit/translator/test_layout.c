/* SPDX-License-Identifier: GPL-2.0-only */
/* A table that grew a little keeps the shape of its data; what does not fit gets its own. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../../translator/layout.h"

static const unsigned char elements[1 << 20];

/* A table of so many items, a node and three entries of lists for each. */
static struct classifier_image lay_out(uint32_t items, uint32_t extras, uint32_t depth,
				       const struct table_shape *likes)
{
	const struct classifier head = { .family = 4, .trees = 1, .depth = depth };
	const struct layout_part parts[LAYOUT_ARRAYS] = {
		[LAYOUT_ROOTS] = { elements, CLASSIFY_CHAINS * CLASS_COUNT },
		[LAYOUT_NODES] = { elements, items },
		[LAYOUT_ITEMS] = { elements, items },
		[LAYOUT_EXTRAS] = { elements, extras },
		[LAYOUT_LISTS] = { elements, 3 * items },
	};
	struct classifier_image image = {};

	cr_assert_eq(layout_make(&head, parts, likes, &image, NULL), 0);
	return image;
}

static bool same_shape(const struct classifier_image *one, const struct classifier_image *other)
{
	return memcmp(&one->head, &other->head, sizeof(one->head)) == 0;
}

/* Whether a table takes the shape of one of 1,000 items without extras, five levels deep. */
static bool takes_shape(uint32_t items, uint32_t extras, uint32_t depth)
{
	struct classifier_image first = lay_out(1000, 0, 5, NULL);
	const struct table_shape likes[TABLE_LIKES] = { [1] = { .head = first.head } };
	struct classifier_image next = lay_out(items, extras, depth, likes);
	bool same = same_shape(&first, &next);

	cr_expect_eq(next.size, next.head.size);
	free(first.bytes);
	free(next.bytes);
	return same;
}

Test(layout, a_table_that_fits_takes_a_shape_that_it_likes)
{
	cr_expect(takes_shape(1000, 0, 5));
	cr_expect(takes_shape(1010, 0, 8));
	cr_expect(takes_shape(700, 0, 2));
}

Test(layout, a_table_that_does_not_fit_gets_its_own)
{
	cr_expect_not(takes_shape(1100, 0, 5), "too many items");
	cr_expect_not(takes_shape(1000, 0, 9), "too deep");
	cr_expect_not(takes_shape(1000, 1, 5), "the programs have nothing for extras");
}

Test(layout, a_table_that_is_much_smaller_gets_its_own)
{
	struct classifier_image large = lay_out(10000, 0, 5, NULL);
	const struct table_shape likes[TABLE_LIKES] = { { .head = large.head } };
	struct classifier_image small = lay_out(100, 0, 5, likes);

	cr_expect_not(same_shape(&large, &small));
	free(large.bytes);
	free(small.bytes);
}

/* Whoever reads on behind the lists finds an end. */
Test(layout, what_is_behind_the_lists_ends_them)
{
	struct classifier_image image = lay_out(1000, 0, 5, NULL);
	const uint32_t *lists = (const uint32_t *)(image.bytes + image.head.lists.offset);

	cr_assert_eq(image.head.lists.count, 4096);
	cr_expect_eq(lists[2999], 0);
	cr_expect_eq(lists[3000], CLASSIFY_NO_RULE);
	cr_expect_eq(lists[4095], CLASSIFY_NO_RULE);
	free(image.bytes);
}
