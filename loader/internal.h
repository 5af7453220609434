/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loader's files share. */
#ifndef UBPFILTER_LOADER_INTERNAL_H
#define UBPFILTER_LOADER_INTERNAL_H

#include <libmnl/libmnl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>

#include "config.h"
#include "loader.h"

/* Where a program of a table is entered: one program array of the dispatcher each. */
enum entry_point {
	ENTRY_XDP,
	ENTRY_INGRESS,
	ENTRY_EGRESS,
	ENTRY_NETFILTER, /* last: only where the kernel has links for netfilter hooks */
	ENTRY_COUNT,
};

/* Whether programs can be linked to netfilter hooks; found out when first asked. */
enum netfilter_kind {
	NETFILTER_UNKNOWN,
	NETFILTER_NONE, /* a kernel before 6.4 */
	NETFILTER_LINKS,
};

/* How programs get onto a device's TC hooks; found out at the first device. */
enum tc_kind {
	TC_UNKNOWN,
	TC_LINKS,  /* tcx, since 6.6 */
	TC_CLSACT, /* cls_bpf filters on a clsact qdisc */
};

/* Maps that the dispatcher and all tables' programs share. */
enum shared_map {
	MAP_DEVICES,
	MAP_DEVICES_FAR,
	MAP_LOCAL_ADDRESSES,
	SHARED_MAPS,
};

struct netns {
	struct loader *loader;
	uint64_t cookie;
	int nsid;    /* id in the loader's own namespace, for events; -1: it is the loader's own */
	bool loaded; /* the dispatcher is there; the descriptors below are open */
	bool dirty;  /* devices changed since the last look */
	bool addresses_dirty;	    /* the same for addresses of this host */
	bool ruleset_dirty;	    /* the same for nf_tables */
	bool awake[TABLE_FAMILIES]; /* our table may be there, for conntrack */
	int maps[SHARED_MAPS];
	int generation;			  /* map */
	int slots[ENTRY_COUNT];		  /* -1: an entry that the kernel does not have */
	int dispatcher[ENTRY_COUNT];	  /* programs; the same */
	uint64_t pending[TABLE_FAMILIES]; /* generation that is about to be in force; 0: none */
	struct spares *spares[TABLE_FAMILIES]; /* owned; spare.c: NULL: none yet */
};

/* lifetime.c: what tells that a namespace ended; descriptors, -1: not open */
struct lifetime {
	int holders; /* iterator of the netfilter links that hold a namespace */
	int timer;
	int names; /* inotify: a named namespace lost its name */
};

struct loader {
	char rundir[PATH_MAX / 2];
	struct config config;
	int own_netns; /* namespace file of the loader itself */
	uint64_t own_cookie;
	int poll;     /* epoll: readable when one of the following is */
	int events;   /* rtnetlink: links and namespace ids, of all namespaces */
	int rulesets; /* nf_tables: that something changed; -1: the kernel has none */
	struct lifetime lifetime;
	enum tc_kind tc;
	enum netfilter_kind netfilter;
	bool has_lookups; /* programs can look up connections; false: not known yet, or not now */
	uint64_t spares_kept; /* how many became spare so far: which is the oldest? */
	struct netns **netns; /* owned */
	size_t netns_count;
};

/* --- netlink.c ------------------------------------------------------------------------------- */

/**
 * netlink_ask() - send one request from the namespace that the thread is in and hand each answer to
 * @handle, which may end it (NULL: only the outcome counts). netlink_send() - the same for several
 * messages, one after the other: the first error or acknowledgement ends it.
 * @protocol: NETLINK_ROUTE, ... Return: 0 or -errno, the kernel's too. Nothing stays open.
 */
int netlink_ask(int protocol, struct nlmsghdr *request, mnl_cb_t handle, void *data);
int netlink_send(int protocol, void *messages, size_t size, mnl_cb_t handle, void *data);

/* Room for a request and what its caller adds. */
#define NETLINK_DUMP_SIZE 256

/**
 * netlink_dump() - begin a request in @buffer that asks rtnetlink for all there is.
 * @header_size: of the message's own header, which begins with the family and else is 0.
 * Return: the request, in @buffer, for netlink_ask().
 */
struct nlmsghdr *netlink_dump(char buffer[NETLINK_DUMP_SIZE], uint16_t type, uint8_t family,
			      size_t header_size);

/** netlink_listen() - a socket that hears of multicast @groups in all namespaces with an id. */
int netlink_listen(int protocol, const int *groups, size_t count, int *listener);

/**
 * netlink_hear() - take one datagram off a listener; *@nsid, set before @handle is called, is where
 * it came from, -1: the loader's own namespace. Return: 0, -EAGAIN: no more, -ENOBUFS: some were
 * lost, other -errno.
 */
int netlink_hear(int listener, int *nsid, mnl_cb_t handle, void *data);

/* --- state.c: files and pins ----------------------------------------------------------------- */

#define STATE_PATH_SIZE PATH_MAX

/** state_open() - make the folders, mount the bpffs. */
int state_open(const char *rundir, struct message *message);

/** state_pin_path(), state_blob_path() - format a path below a namespace's pins or blobs. */
void state_pin_path(const struct netns *netns, char *path, const char *format, ...) _printf_(3, 4);
void state_blob_path(const struct netns *netns, char *path, const char *format, ...) _printf_(3, 4);

/** state_make_folders() - the namespace's folders for pins and blobs. */
int state_make_folders(const struct netns *netns, struct message *message);

/** state_remove() - remove everything that is kept of a namespace. */
int state_remove(const struct netns *netns);

/** remove_tree() - remove a folder (two levels, as pins lie) and what is in it; none is fine. */
int remove_tree(const char *path);

/** state_write_blob() - write @data under a temporary name and rename it. */
int state_write_blob(const struct netns *netns, const char *name, const void *data, size_t size);

/** state_collect() - remove generations other than @active, half-made ones too. */
void state_collect(const struct netns *netns, enum table_family family, uint64_t active);

const char *family_name(enum table_family family);

/* --- namespaces.c ---------------------------------------------------------------------------- */

/** netns_enter() - move the calling thread there; netns_leave() - back to the loader's own. */
int netns_enter(const struct loader *loader, int netns_fd, struct message *message);
void netns_leave(const struct loader *loader);

/** netns_find() - a descriptor for a namespace by its cookie; -ENOENT: it is gone. */
int netns_find(const struct loader *loader, uint64_t cookie);

/** netns_prepare() - load the dispatcher, pin it, learn the devices. No-op when it is there. */
int netns_prepare(struct netns *netns, int netns_fd, struct message *message);

/** netns_adopt() - open what is pinned of a namespace, collect what is not in force. */
int netns_adopt(struct loader *loader, uint64_t cookie, struct message *message);

/** netns_release() - let go of what is held in memory; what is in force stays. */
void netns_release(struct netns *netns);

/** netns_forget() - the namespace is gone: remove its state and release @netns. */
void netns_forget(struct netns *netns);

/* --- lifetime.c ------------------------------------------------------------------------------ */

/** lifetime_init(), lifetime_close() - to be called in any state; lifetime_open() in between. */
void lifetime_init(struct lifetime *lifetime);
int lifetime_open(struct lifetime *lifetime);
void lifetime_close(struct lifetime *lifetime);

/**
 * lifetime_is_visible() - whether the kernel lets us see who holds a namespace, and netfilter links
 * do hold it. Where not, none may be made: it would never end, or end under the link.
 */
bool lifetime_is_visible(struct loader *loader);

/**
 * lifetime_watch() - from now on look for namespaces that only netfilter links hold. To be called
 * before such links are made in a namespace other than the loader's; idempotent, cheap.
 */
void lifetime_watch(struct loader *loader);

/** lifetime_look() - when it is time: forget those that nobody uses any more. Never blocks. */
int lifetime_look(struct loader *loader);

/** netns_is_held() - there are netfilter links in a namespace, and somebody else uses it, too. */
bool netns_is_held(const struct netns *netns);

/* --- conntrack.c ----------------------------------------------------------------------------- */

/* File beside a generation's blob: it needs conntrack. Family's name, number. */
#define CONNTRACK_NEED_PREFIX "conntrack-%s"
#define CONNTRACK_NEED_FORMAT CONNTRACK_NEED_PREFIX "-%" PRIu64

/**
 * conntrack_prepare() - have conntrack work in a namespace, for a generation that is to be in
 * force; conntrack_forget() - that generation is no more. @needs: enum table_needs.
 */
int conntrack_prepare(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		      uint32_t needs, struct message *message);
void conntrack_forget(const struct netns *netns, enum table_family family, uint64_t number);

/** conntrack_settle() - keep it awake where a generation in force needs it, and nowhere else. */
int conntrack_settle(struct netns *netns, int netns_fd, struct message *message);

/** conntrack_is_awake() - our table is there, or may be. */
bool conntrack_is_awake(const struct netns *netns);

/* --- rates.c --------------------------------------------------------------------------------- */

struct bpf_object;
struct rate_list;

/** rates_share() - have an object that is not loaded yet use what is remembered of rates. */
int rates_share(const struct netns *netns, enum table_family family, struct bpf_object *object);

/**
 * rates_begin() - the tables of rates of a generation that is loaded, its folder made.
 * Return: 0; -EOPNOTSUPP where there is one of that name of another kind, which programs of both
 * generations would use; -errno.
 */
int rates_begin(const struct netns *netns, enum table_family family, uint64_t number,
		const struct rate_list *list, struct message *message);

/** rates_settle() - forget what the generation in force does not use. */
void rates_settle(const struct netns *netns, enum table_family family);

/* --- others.c -------------------------------------------------------------------------------- */

enum others {
	OTHERS_BEFORE_US, /* have hooks that packets pass on their way in to ours */
	OTHERS_WITH_NAT,  /* change addresses, wherever */
};

/** others_write() - who else has such hooks in a namespace, one a line. */
int others_write(const struct netns *netns, enum others which, FILE *out);

/* --- dispatcher.c ---------------------------------------------------------------------------- */

/** shared_map_names[] - as they are declared and pinned. */
extern const char *const shared_map_names[SHARED_MAPS];

/** dispatcher_load() - load and pin the dispatcher of @netns, whose folders exist. */
int dispatcher_load(struct netns *netns, struct message *message);

/** dispatcher_open() - open the pinned dispatcher. */
int dispatcher_open(struct netns *netns, struct message *message);

/* --- load.c ---------------------------------------------------------------------------------- */

struct bpf_object;
struct bpf_program;

/**
 * generation_load() - link the programs of @stages, load and pin them as generation @number. Early
 * stages that cannot be loaded are left out: the log says so.
 */
int generation_load(struct netns *netns, enum table_family family, uint64_t number,
		    const struct generation *next, unsigned stages, struct message *message);

/** object_map(), object_program() - by their names. */
int object_map(const struct bpf_object *object, const char *name);
struct bpf_program *object_program(const struct bpf_object *object, const char *name);

/** libbpf_say_nothing() - keep libbpf's own messages off stderr. */
void libbpf_say_nothing(void);

/* --- program_set.c --------------------------------------------------------------------------- */

/* Programs of a table's object, and their pins, by where they are entered. */
extern const char *const entry_program_names[ENTRY_COUNT];

/* Descriptors; -1: there is none. */
struct program_set {
	int programs[ENTRY_COUNT];
	int counters;
	int table; /* map of the table's data, where it is data */
};

/** program_set_of() - those of a loaded object, which owns them. */
struct program_set program_set_of(const struct bpf_object *object);

/** program_set_open() - open what is pinned of a table that is data; program_set_close(). */
int program_set_open(const struct netns *netns, enum table_family family, uint64_t number,
		     struct program_set *set);
void program_set_close(struct program_set *set);

/** object_pin() - pin what @fd stands for. */
int object_pin(int fd, const char *path, struct message *message);

/**
 * generation_pin() - make the folder of a generation, with the pins of @set and a map for what
 * ADD_COUNTERS adds for @rules; generation_unpin() - remove it, or what there is of it.
 */
int generation_pin(const struct netns *netns, enum table_family family, uint64_t number,
		   const struct program_set *set, uint32_t rules, struct message *message);
void generation_unpin(const struct netns *netns, enum table_family family, uint64_t number);

/** generation_has() - whether a generation has a program for @entry. */
bool generation_has(const struct netns *netns, enum table_family family, uint64_t number,
		    enum entry_point entry);

/* --- swap.c ---------------------------------------------------------------------------------- */

/** programs_wait() - wait until no program, and no netfilter hook, that started before runs. */
int programs_wait(void);

/** generation_make() - everything of a generation, out of every packet's way. */
int generation_make(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		    const struct generation *next, struct message *message);

/** generation_commit() - put a generation in force, at all hooks and devices at once. */
int generation_commit(const struct netns *netns, enum table_family family, uint64_t number,
		      struct message *message);

/** generation_clear() - remove programs, maps and blob of a generation that is not in force. */
void generation_clear(const struct netns *netns, enum table_family family, uint64_t number);

/** generation_end() - clear one that was in force until now, and leave hooks that only it used. */
void generation_end(struct netns *netns, int netns_fd, enum table_family family, uint64_t number);

/** generation_retire() - end one, whoever enforced it; @old: its
 * final counters, or zeros and @message. */
void generation_retire(struct netns *netns, int netns_fd, enum table_family family, uint64_t number,
		       struct counter *old, uint32_t old_count, struct message *message);

/* --- hand_over.c ----------------------------------------------------------------------------- */

#define RECORD_SUFFIX ".kernel"

/** hand_over_check_vacant() - -EBUSY: somebody else has rules there; -ENOENT: no such code. */
int hand_over_check_vacant(const struct netns *netns, int netns_fd, enum table_family family,
			   struct message *message);

/** generation_is_kernels() - whether the kernel's ip_tables enforces, or enforced, this one. */
bool generation_is_kernels(const struct netns *netns, enum table_family family, uint64_t number);

/** generation_has_early() - whether one that the kernel enforces has programs in front. */
bool generation_has_early(const struct netns *netns, enum table_family family, uint64_t number);

/** hand_over_settle() - where a hand-over was interrupted, go on with what is in force. */
int hand_over_settle(const struct netns *netns, int netns_fd, enum table_family family,
		     struct message *message);

/** hand_over_end() - take a generation that is not in force any more out of the kernel's table. */
int hand_over_end(const struct netns *netns, int netns_fd, enum table_family family,
		  uint64_t number, struct counter *old, uint32_t old_count,
		  struct message *message);

/** hand_over_flush() - leave nothing of ours in the kernel's tables. */
int hand_over_flush(const struct netns *netns, int netns_fd, struct message *message);

/* --- execution.c ----------------------------------------------------------------------------- */

#define TARGETS_SUFFIX ".targets"

/** execution_program_names[] - of an object, and their pins, by enum execution_program. */
extern const char *const execution_program_names[];

/** generation_has_targets() - whether the kernel's table holds, or may hold, some of this one.
 * generation_targets() - of how many rules. */
bool generation_has_targets(const struct netns *netns, enum table_family family, uint64_t number);
uint32_t generation_targets(const struct netns *netns, enum table_family family, uint64_t number);

/**
 * executions_begin() - have the kernel execute targets of a generation that is to be in force, too.
 * @list: NULL: it has none. Return: 0; -EOPNOTSUPP and @message: the kernel does not.
 */
struct execution_list;
int executions_begin(const struct netns *netns, int netns_fd, enum table_family family,
		     uint64_t number, const struct execution_list *list, struct message *message);

/** executions_end() - no more those of one that was in force; no packet of it is on its way. */
int executions_end(const struct netns *netns, int netns_fd, enum table_family family,
		   uint64_t number, struct message *message);

/**
 * executions_restore() - put into the kernel's table what the generation in force, which is BPF's,
 * needs there: its targets, or nothing.
 * @old: as kernel_table_put().
 */
int executions_restore(const struct netns *netns, int netns_fd, enum table_family family,
		       struct counter *old, uint32_t old_count);

/** executions_forget() - the kernel's table has none of this generation. */
int executions_forget(const struct netns *netns, enum table_family family, uint64_t number);

/* --- attach.c -------------------------------------------------------------------------------- */

/* One device, as rtnetlink describes it. */
struct device_info {
	uint32_t ifindex;
	uint32_t below; /* ifindex of the device that it is on, in that device's namespace */
	bool is_below_elsewhere; /* that is another namespace */
	bool has_kind; /* a virtual device (veth, bridge, ...), as far as rtnetlink says */
	bool is_vlan;
	bool is_ethernet;
	bool is_bridge;
	bool is_upper;	 /* bridge, bond, team, VRF: with XDP there its ports could have none */
	uint32_t master; /* ifindex, 0: none; its kind, "": without one */
	char master_kind[16];
	bool is_resting; /* as the port of a bond: what is not for the port itself is dropped */
	bool is_off;	 /* its own switch for forwarding IPv6 */
	bool is_forced;	 /* and another, which is enough */
	uint16_t
		forwarded_groups; /* as bridge and as port: bit n: 01-80-C2-00-00-0n is no port's */
	struct device device;
};

/* What the generations of a namespace, in force and about to be, have programs for. */
struct wanted {
	bool ingress;
	bool early; /* ingress only ever in front of the netfilter hooks: no device must have it */
	bool xdp;   /* ingress by XDP is possible: no table has programs for TC ingress only */
	bool egress;
	bool netfilter;
};

/**
 * device_attach() - have the dispatcher on the hooks that are chosen for a device and wanted, and
 * on no other; idempotent. The calling thread is in the device's namespace.
 */
int device_attach(struct netns *netns, const struct device_info *info, const struct wanted *wanted,
		  struct message *message);

/** device_detach_all() - take the dispatcher off a device of the current namespace. */
void device_detach_all(struct netns *netns, uint32_t ifindex);

/** device_wants_xdp() - whether the configuration chooses XDP for a device. */
bool device_wants_xdp(const struct loader *loader, const struct device_info *info);

/** links_collect() - remove pinned links whose device is gone (@exists says). */
void links_collect(const struct netns *netns, bool (*exists)(const void *list, uint32_t ifindex),
		   const void *list);

/**
 * loopback_look() - whether a namespace is there, by the links of its first device.
 * Return: 0: it is; -ENODEV: its links have no device any more; -ENOENT: there are no such links.
 */
int loopback_look(const struct netns *netns);

/* --- netfilter.c ----------------------------------------------------------------------------- */

/** netfilter_is_available() - whether this kernel links programs to netfilter hooks. */
bool netfilter_is_available(struct loader *loader);

/** netfilter_program_set() - say what kind of program it is: libbpf 1.1 does not know the kind. */
void netfilter_program_set(struct bpf_program *program);

/**
 * netfilter_attach() - have the dispatcher at the hooks of the namespace that the calling thread is
 * in; idempotent. The links hold the namespace. netfilter_detach() takes it off.
 */
int netfilter_attach(struct netns *netns, struct message *message);
void netfilter_detach(struct netns *netns);
bool netfilter_is_attached(const struct netns *netns);

/* --- devices.c ------------------------------------------------------------------------------- */

struct device_list {
	struct device_info *devices; /* owned */
	size_t count;
};

/** devices_list() - all devices of the namespace that the thread is in. */
int devices_list(struct device_list *list, struct message *message);
void device_list_free(struct device_list *list);

/* --- ports.c --------------------------------------------------------------------------------- */

/** ports_attribute() - note what an attribute of IFLA_LINKINFO says of masters and ports. */
void ports_attribute(const struct nlattr *attribute, struct device_info *info);

/** ports_settle() - which frames of ports are their masters', by all that was noted. */
void ports_settle(struct device_list *list);

/* --- forwarding.c ---------------------------------------------------------------------------- */

/** forwarding_settle() - of whom the FIB is to be asked what devices forward (IPv6). The thread is
 * in the devices' namespace. */
void forwarding_settle(struct device_list *list);

/** devices_sync() - the shared maps, and the programs on devices and at the netfilter hooks, as the
 * namespace and its generations are now. */
int devices_sync(struct netns *netns, int netns_fd, bool attach, struct message *message);

/* --- events.c -------------------------------------------------------------------------------- */

/** events_open() - a socket that hears of links, addresses and namespace ids everywhere. */
int events_open(struct loader *loader, struct message *message);

/** events_read() - mark the namespaces that changed; forget those that ended. */
int events_read(struct loader *loader);

/** nsid_is_in_use() - some namespace has that id. */
bool nsid_is_in_use(int nsid);

/** nsid_assign() - give a namespace an id here, so that its events are heard. */
int nsid_assign(const struct loader *loader, int netns_fd, int *nsid, struct message *message);

/* --- device_map.c ---------------------------------------------------------------------------- */

/** device_map_set() - all of @list, and no others, in the maps. */
int device_map_set(const struct netns *netns, const struct device_list *list,
		   struct message *message);

typedef void device_handler(const struct netns *netns, uint32_t ifindex,
			    const struct device *device, void *data);

/** device_map_each() - call @handle for each device in the maps. */
void device_map_each(const struct netns *netns, device_handler *handle, void *data);

/* --- addresses.c ----------------------------------------------------------------------------- */

/**
 * addresses_sync() - map `local_addresses` as the namespace is now. The thread is in the namespace.
 */
int addresses_sync(struct netns *netns, struct message *message);

/* --- counters.c ------------------------------------------------------------------------------ */

/** generation_counters() - per-CPU counters and base of one generation, added up. */
int generation_counters(const struct netns *netns, enum table_family family, uint64_t number,
			struct counter *counters, uint32_t count, struct message *message);

/** counters_add() - add @count counters to as many. */
void counters_add(struct counter *sum, const struct counter *add, uint32_t count);

#endif
