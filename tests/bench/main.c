/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet costs: our programs, an empty one, and iptables' own tables, in one run.
 * usage: bench FOLDER [MOST-RULES]; writes FOLDER/bench.csv and FOLDER/bench.svg.
 */
#include <bpf/libbpf.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"

#define SEED 42

static const uint32_t sizes[] = { 1, 10, 100, 1000, 10000, 100000 };
static const char *const colours[SHAPE_COUNT] = { "#1b6ca8", "#2e8540", "#b5470f", "#6b3fa0" };

static void print_head(double empty)
{
	printf("empty XDP program: %.0f ns\n", empty);
	printf("%-9s %6s %6s | %5s %5s %5s %8s %6s | %8s %8s | %8s %8s %8s | %6s\n", "shape",
	       "rules", "chains", "last", "trace", "miss", "straight", "ratio", "legacy", "nft",
	       "build ms", "load ms", "iptables", "B/rule");
}

static void print_result(const struct bench_result *r, double empty)
{
	printf("%-9s %6u %6u | %5.0f %5.0f %5.0f %8.0f %6.2f | %8.0f %8.0f | %8.1f %8.1f %8.1f | "
	       "%6.0f\n",
	       shape_name(r->shape), r->rules, r->chains, r->last, r->trace, r->miss, r->straight,
	       r->trace / empty, r->legacy, r->nft, r->build, r->load, r->restore, r->bytes);
	fflush(stdout);
}

static void write_csv(FILE *out, const struct bench_result *results, size_t count, double empty)
{
	fprintf(out, "shape,rules,chains,empty_ns,last_ns,trace_ns,miss_ns,straight_ns,legacy_ns,"
		     "nft_ns,build_ms,load_ms,restore_ms,bytes_per_rule\n");
	for (size_t i = 0; i < count; i++) {
		const struct bench_result *r = &results[i];

		fprintf(out, "%s,%u,%u,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.2f,%.2f,%.2f,%.0f\n",
			shape_name(r->shape), r->rules, r->chains, empty, r->last, r->trace,
			r->miss, r->straight, r->legacy, r->nft, r->build, r->load, r->restore,
			r->bytes);
	}
}

/* Both axes logarithmic: 1 to 100,000 rules, 10 ns to 10 ms. */
static double plot_x(double rules)
{
	return 70 + 110 * log10(rules);
}

static double plot_y(double ns)
{
	return 400 - 60 * (log10(ns) - 1);
}

typedef double value_fn(const struct bench_result *result);

static double ours_of(const struct bench_result *result)
{
	return result->trace;
}

static double legacy_of(const struct bench_result *result)
{
	return result->legacy;
}

static double nft_of(const struct bench_result *result)
{
	return result->nft;
}

static void plot_line(FILE *out, const struct bench_result *results, size_t count, enum shape shape,
		      value_fn *value, const char *dash)
{
	fprintf(out, "<polyline fill='none' stroke='%s' stroke-width='2' %s points='",
		colours[shape], dash);
	for (size_t i = 0; i < count; i++) {
		double ns = value(&results[i]);

		if (results[i].shape == shape && results[i].chains == 0 && ns > 0)
			fprintf(out, "%.1f,%.1f ", plot_x(results[i].rules), plot_y(ns));
	}
	fprintf(out, "'/>\n");
}

static void write_svg(FILE *out, const struct bench_result *results, size_t count, double empty)
{
	fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 450' "
		     "font-family='sans-serif' font-size='12'>\n"
		     "<rect width='760' height='450' fill='white'/>\n");
	for (int power = 0; power <= 5; power++)
		fprintf(out,
			"<line x1='%.0f' x2='%.0f' y1='40' y2='400' stroke='#ddd'/>"
			"<text x='%.0f' y='420' text-anchor='middle'>%.0f</text>\n",
			plot_x(pow(10, power)), plot_x(pow(10, power)), plot_x(pow(10, power)),
			pow(10, power));
	for (int power = 1; power <= 7; power++)
		fprintf(out,
			"<line x1='70' x2='620' y1='%.0f' y2='%.0f' stroke='#ddd'/>"
			"<text x='62' y='%.0f' text-anchor='end'>%.0f</text>\n",
			plot_y(pow(10, power)), plot_y(pow(10, power)), plot_y(pow(10, power)) + 4,
			pow(10, power));
	fprintf(out,
		"<text x='345' y='440' text-anchor='middle'>rules</text>"
		"<text x='70' y='25'>ns a packet; full: ours, dashed: iptables-legacy, dotted: "
		"iptables-nft, grey: an empty XDP program</text>\n");
	fprintf(out, "<line x1='70' x2='620' y1='%.1f' y2='%.1f' stroke='#888'/>\n", plot_y(empty),
		plot_y(empty));
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		plot_line(out, results, count, shape, ours_of, "");
		plot_line(out, results, count, shape, legacy_of, "stroke-dasharray='7 4'");
		plot_line(out, results, count, shape, nft_of, "stroke-dasharray='2 3'");
		fprintf(out, "<text x='640' y='%d' fill='%s'>%s</text>\n", 80 + 20 * shape,
			colours[shape], shape_name(shape));
	}
	fprintf(out, "</svg>\n");
}

typedef void write_fn(FILE *out, const struct bench_result *results, size_t count, double empty);

static int write_file(const char *folder, const char *name, write_fn *write_it,
		      const struct bench_result *results, size_t count, double empty)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	out = fopen(path, "we");
	if (!out) {
		perror(path);
		return 1;
	}
	write_it(out, results, count, empty);
	return fclose(out) ? 1 : 0;
}

static int measure(struct bench_result *result)
{
	struct bench_rule *rules = bench_rules(result->shape, result->rules, SEED);
	int error = rules ? ours_measure(rules, result) : -ENOMEM;

	if (error)
		fprintf(stderr, "%s, %u rules: %s\n", shape_name(result->shape), result->rules,
			strerror(-error));
	else if (result->chains == 0)
		kernel_measure(rules, result);
	free(rules);
	return error;
}

int main(int argc, char **argv)
{
	static struct bench_result results[SHAPE_COUNT * ARRAY_SIZE(sizes) * 2];
	uint32_t most = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100000;
	double empty = empty_program();
	size_t count = 0;
	int failed = 0;

	if (argc < 2 || empty <= 0 || unshare(CLONE_NEWNET) || kernel_open()) {
		fprintf(stderr, "usage: bench FOLDER [MOST-RULES], as root\n");
		return 2;
	}
	libbpf_set_print(NULL);
	stages_print(SEED);
	print_head(empty);
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		for (size_t size = 0; size < ARRAY_SIZE(sizes) && sizes[size] <= most; size++)
			for (uint32_t chains = 0; chains <= 100; chains += 100) {
				struct bench_result *result = &results[count];

				*result = (struct bench_result){ .shape = shape,
								 .rules = sizes[size],
								 .chains = chains };
				if (sizes[size] < chains)
					continue;
				failed |= measure(result) != 0;
				print_result(result, empty);
				count++;
			}
	failed |= write_file(argv[1], "bench.csv", write_csv, results, count, empty);
	failed |= write_file(argv[1], "bench.svg", write_svg, results, count, empty);
	return failed;
}
