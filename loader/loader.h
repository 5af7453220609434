/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loader: ELF objects in, filtering network namespaces out.
 *
 * It loads objects with libbpf, attaches the dispatcher to devices, flips generations, reads
 * counters, follows devices as they come and go, and keeps what must survive a crash. It never
 * looks into a table: to it, a table's blob is bytes to keep beside the programs.
 *
 * State, all under the runtime folder:
 *	bpf/					a bpffs of our own
 *	bpf/<cookie>/				one namespace (SO_NETNS_COOKIE, hexadecimal)
 *	bpf/<cookie>/generation, devices, ...	maps and programs of the dispatcher
 *	bpf/<cookie>/links/			XDP and tcx links, one a device and hook
 *	bpf/<cookie>/ipv4-<generation>/		maps and programs of one generation of a table
 *	netns/<cookie>/ipv4-<generation>	that generation's blob
 *	netns/<cookie>/ipv4-<generation>.kernel	why the kernel enforces it: it has neither then
 *
 * The value in the map `generation` is the only truth about which generation is in force.
 */
#ifndef UBPFILTER_LOADER_H
#define UBPFILTER_LOADER_H

#include <stdint.h>

#include "../bpf/types.h"
#include "../common/message.h"
#include "../translator/compile.h"

struct config;
struct loader;
struct netns;

/*
 * Where packets are filtered. As the default for all devices, XDP and TC stand for these two alone;
 * of one device, for where packets are dropped early in front of the netfilter hooks.
 */
enum hook_choice {
	HOOK_AUTO,
	HOOK_XDP,
	HOOK_TC,
	HOOK_NETFILTER,
};

/**
 * loader_open() - mount the bpffs if need be, read the configuration, adopt what is in force,
 * collect what is not.
 * @rundir: the runtime folder; exists. @config: path of the configuration file; may not exist.
 * @hook: overrides the file's default unless negative.
 */
int loader_open(struct loader **loader, const char *rundir, const char *config, int hook,
		struct message *message);

/** loader_config() - what the configuration file says; the loader's. */
const struct config *loader_config(const struct loader *loader);

/** loader_close() - let go of everything in memory; what is in force stays in force. */
void loader_close(struct loader *loader);

/**
 * loader_event_fd() - a file descriptor that polls readable when devices or namespaces changed;
 * loader_event() - then handles it. Never blocks.
 */
int loader_event_fd(const struct loader *loader);
int loader_event(struct loader *loader, struct message *message);

/**
 * netns_open() - the state of the network namespace behind @netns_fd; made when there is none.
 * @netns_fd: stays the caller's. Nothing of the result keeps the namespace alive.
 * @netns: owned by the loader, valid until the loader closes or the namespace is collected.
 */
int netns_open(struct loader *loader, int netns_fd, struct netns **netns, struct message *message);

/** netns_cookie() - the namespace's SO_NETNS_COOKIE, which the kernel never gives to another. */
uint64_t netns_cookie(const struct netns *netns);

/**
 * netns_programs() - write the pin path of each program of the generations in force to @out, one a
 * line.
 */
int netns_programs(const struct netns *netns, FILE *out);

/** The generation in force; 0: no table was put in force yet. */
uint64_t netns_generation(const struct netns *netns, enum table_family family);

/** The blob kept with the generation in force; owned by the caller. -ENOENT: generation 0. */
int netns_blob(const struct netns *netns, enum table_family family, void **blob, size_t *size,
	       struct message *message);

/* Who enforces a table. */
enum enforcer {
	ENFORCER_NONE, /* no table was put in force yet */
	ENFORCER_BPF,
	ENFORCER_KERNEL, /* the kernel's own ip_tables: it does what BPF does not */
};

enum enforcer netns_enforcer(const struct netns *netns, enum table_family family);

/** netns_reason() - why the kernel enforces the table: a line. */
void netns_reason(const struct netns *netns, enum table_family family, char *reason, size_t size);

/**
 * loader_stages() - STAGE_BIT()s that tables are to be compiled for, by configuration and kernel.
 * Return: 0 and @stages set; -EOPNOTSUPP where the kernel does not have what is configured.
 */
int loader_stages(struct loader *loader, unsigned *stages, struct message *message);

struct generation {
	const struct object *object; /* as compile() makes it, not linked */
	const void *blob;	     /* kept beside it, for netns_blob(); NULL: none is */
	size_t blob_size;
	uint32_t rule_count;
};

/**
 * netns_replace() - put a new generation of a table in force, at all hooks and devices at once.
 * @netns_fd: the namespace, to attach to its devices.
 * @old: the counters of the generation before, complete, @old_count of them (as many as its rules).
 * All or nothing: on failure the generation before stays in force with its counters.
 */
int netns_replace(struct netns *netns, int netns_fd, enum table_family family,
		  const struct generation *next, struct counter *old, uint32_t old_count,
		  struct message *message);

/**
 * netns_likes() - which shapes the next table had better take: those for which programs are, or
 * soon will be, to spare.
 */
void netns_likes(const struct netns *netns, enum table_family family,
		 struct table_shape likes[TABLE_LIKES]);

struct hand_over {
	const void *argument; /* of SET_REPLACE, as a client passed it, but for its counters */
	size_t size;
	const char *reason;		/* why BPF does not enforce it: a line */
	const struct generation *early; /* programs in front of it; an object for no stage: none */
};

/**
 * netns_hand_over() - have the kernel's own ip_tables enforce a table; it is emptied again when
 * netns_replace() puts one in force that BPF does.
 * @old: as netns_replace(). NULL: check the table only.
 * All or nothing: on failure the generation before stays in force with its counters.
 * Return: 0; what the kernel finds wrong with the table, without @message; -EAGAIN without @old
 * when nothing is wrong; -EBUSY when others have rules there; -ENOENT when the kernel has no
 * ip_tables.
 */
int netns_hand_over(struct netns *netns, int netns_fd, enum table_family family,
		    const struct hand_over *next, struct counter *old, uint32_t old_count,
		    struct message *message);

/**
 * netns_early_counters() - what the programs in front of a table that the kernel enforces counted,
 * @count of them: to be added to the kernel's counters. -ENOENT where there are no such programs.
 */
int netns_early_counters(const struct netns *netns, enum table_family family,
			 struct counter *counters, uint32_t count, struct message *message);

/** netns_counters() - counters of the generation in force, @count of them. */
int netns_counters(const struct netns *netns, enum table_family family, struct counter *counters,
		   uint32_t count, struct message *message);

/** netns_add_counters() - add to them, all or nothing, also if this process is killed. */
int netns_add_counters(struct netns *netns, enum table_family family, const struct counter *add,
		       uint32_t count, struct message *message);

/** netns_flush() - take everything of a namespace down: links, programs, maps, pins, blobs. */
int netns_flush(struct netns *netns, struct message *message);

/** loader_status() - what is loaded and attached where, for people, written to @out. */
int loader_status(const struct loader *loader, FILE *out);

/* Beside stages, for link_object(): the kernel has functions to look up connections. */
#define LINK_LOOKUPS (1u << 31)

/**
 * link_object() - join a compiled object with the entry programs of bpf/ for @stages.
 * @stages: STAGE_BIT()s, of those that the object was compiled for, and LINK_LOOKUPS.
 * @linked: set on success: an ELF object that libbpf, bpftool, ip and tc load as it is; release
 * with object_free().
 */
int link_object(const struct object *compiled, enum family family, unsigned stages,
		struct object *linked, struct message *message);

#endif
