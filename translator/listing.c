/* SPDX-License-Identifier: GPL-2.0-only */
#include "listing.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

/*
 * bpftool prints a function as
 *
 *	int xdp_input(struct packet * packet):
 *	; -A INPUT -s 10.0.0.1/32 -j DROP [file:filter line_num:1 line_col:0]
 *	   7: (61) r1 = *(u32 *)(r6 +0)
 *
 * A function whose first source line comes from a file "filter" or "filter6" is made of rules; it
 * has to be held back until that line is known.
 */
struct listing {
	FILE *out;
	enum listing_scope scope;
	char *heading; /* owned: of a function that is not shown yet */
	bool undecided;
	bool shown;
	unsigned skipped;  /* instructions not shown */
	char *last_source; /* owned: the source line printed last */
};

struct source_line {
	char *text; /* owned */
	char file[64];
	unsigned number;
};

static void source_line_free(struct source_line *line)
{
	free(line->text);
}

/* "; TEXT [file:NAME line_num:N line_col:M]"; a rule's comment may hold anything but a newline. */
static int source_line_parse(const char *line, struct source_line *source)
{
	const char *place = NULL;

	for (const char *at = line; (at = strstr(at, " [file:")); at++)
		place = at;
	source->file[0] = '\0';
	source->number = 0;
	if (place)
		sscanf(place, " [file:%63s line_num:%u", source->file, &source->number);
	source->text = place ? strndup(line + 2, (size_t)(place - line - 2)) : strdup(line + 2);
	return source->text ? 0 : -ENOMEM;
}

static bool is_rule(const struct source_line *source)
{
	/* 0: our own code beside the rules, which counts */
	return source->number &&
	       (strcmp(source->file, "filter") == 0 || strcmp(source->file, "filter6") == 0);
}

static bool is_instruction(const char *line)
{
	line += strspn(line, " ");
	return isdigit((unsigned char)*line);
}

static void begin_function(struct listing *listing, const char *line)
{
	free(listing->heading);
	listing->heading = strdup(line);
	free(TAKE_PTR(listing->last_source));
	listing->undecided = true;
	listing->shown = false;
}

static void decide(struct listing *listing, bool rules)
{
	listing->undecided = false;
	listing->shown = rules || listing->scope == LISTING_ALL;
	if (listing->shown && listing->heading)
		fprintf(listing->out, "\n%s\n", listing->heading);
}

static int print_source(struct listing *listing, const char *line)
{
	struct source_line source __attribute__((cleanup(source_line_free))) = {};
	int error = source_line_parse(line, &source);

	if (error)
		return error;
	if (listing->undecided)
		decide(listing, is_rule(&source));
	if (!listing->shown ||
	    (listing->last_source && strcmp(listing->last_source, source.text) == 0))
		return 0;
	if (is_rule(&source))
		fprintf(listing->out, "\n  [%u] %s\n", source.number, source.text);
	else
		fprintf(listing->out, "    ; %s\n", source.text);
	free(listing->last_source);
	listing->last_source = TAKE_PTR(source.text);
	return 0;
}

static int print_line(struct listing *listing, const char *line)
{
	if (strncmp(line, "; ", 2) == 0)
		return print_source(listing, line);
	if (is_instruction(line)) {
		if (listing->undecided)
			decide(listing, false);
		if (listing->shown)
			fprintf(listing->out, "    %s\n", line);
		else
			listing->skipped++;
	} else if (*line) {
		begin_function(listing, line);
	}
	return 0;
}

int listing_write(FILE *in, FILE *out, enum listing_scope scope)
{
	struct listing listing = { .out = out, .scope = scope };
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	int error = 0;

	while (!error && (length = getline(&line, &capacity, in)) >= 0) {
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		error = print_line(&listing, line);
	}
	if (!error && (ferror(in) || ferror(out)))
		error = -EIO;
	if (!error && listing.skipped)
		fprintf(out,
			"\n  (%u instructions that parse and count are left out; --all shows "
			"them)\n",
			listing.skipped);
	free(listing.heading);
	free(listing.last_source);
	return error;
}
