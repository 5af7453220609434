/* SPDX-License-Identifier: GPL-2.0-only */
#include "generated.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../../common/cleanup.h"
#include "../../common/io.h"
#include "../../loader/loader.h"

#define ETHERNET_SIZE 14

/* How each entry program is run, and what its verdicts are called. */
static const struct {
	const char *name;
	enum ground_device device; /* the one it is at */
	bool egress;
	bool is_xdp;
	unsigned pass;
	unsigned drop;
} shapes[PROGRAM_COUNT] = {
	[PROGRAM_XDP] = { "xdp_ingress", DEVICE_IN, false, true, XDP_PASS, XDP_DROP },
	[PROGRAM_TC_INGRESS] = { "tc_ingress", DEVICE_IN, false, false, (unsigned)TC_ACT_UNSPEC,
				 TC_ACT_SHOT },
	[PROGRAM_TC_EGRESS] = { "tc_egress", DEVICE_OUT, true, false, (unsigned)TC_ACT_UNSPEC,
				TC_ACT_SHOT },
	[PROGRAM_DIRECT] = { "direct", DEVICE_IN, false, false, (unsigned)TC_ACT_UNSPEC,
			     TC_ACT_SHOT },
};

/* direct.bpf.c, in direct_object.S */
extern const unsigned char direct_object[];
extern const uint64_t direct_object_size; /* bytes */

struct programs {
	struct bpf_object *object;
	int fds[PROGRAM_COUNT];
	int counters;
	int family;
	unsigned cpus;
	struct counter_block *per_cpu; /* owned; room for one block, of all CPUs */
	uint32_t batch;		       /* packets at once */
	struct packet *packets;	       /* mapped, as the next; NULL: no batch */
	uint64_t *verdicts;
};

const char *program_name(enum program program)
{
	return shapes[program].name;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	if (programs->packets)
		munmap(programs->packets, programs->batch * sizeof(*programs->packets));
	if (programs->verdicts)
		munmap(programs->verdicts, programs->batch * sizeof(*programs->verdicts));
	bpf_object__close(programs->object);
	free(programs->per_cpu);
	free(programs);
}

/* UBPFILTER_FORM=straight, trees or calls: small tables would all become straight-line code. */
static enum form wanted_form(void)
{
	static const char *const names[] = {
		[FORM_STRAIGHT] = "straight",
		[FORM_TREES] = "trees",
		[FORM_CALLS] = "calls",
	};
	const char *name = getenv("UBPFILTER_FORM");

	for (size_t form = FORM_STRAIGHT; name && form < ARRAY_SIZE(names); form++)
		if (strcmp(name, names[form]) == 0)
			return (enum form)form;
	return FORM_AUTO;
}

/* --- loading --------------------------------------------------------------------------------- */

/* libbpf 1.1 links files only. */
static int linker_add(struct bpf_linker *linker, const void *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("part.bpf.o", MFD_CLOEXEC);
	char path[64];
	int error = fd < 0 ? -errno : io_write(fd, data, size);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return error ? error : bpf_linker__add_file(linker, path, NULL);
}

static int add_direct(struct object *linked)
{
	_cleanup_close_ int fd = memfd_create("linked.bpf.o", MFD_CLOEXEC);
	char path[64];
	struct bpf_linker *linker;
	int error;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	linker = bpf_linker__new(path, NULL);
	if (!linker)
		return -errno;
	error = linker_add(linker, linked->data, linked->size);
	if (!error)
		error = linker_add(linker, direct_object, direct_object_size);
	if (!error)
		error = bpf_linker__finalize(linker);
	bpf_linker__free(linker);
	object_free(linked);
	return error ? error : object_read(fd, linked);
}

static int make_object(const struct ir *ir, struct object *linked, struct message *message)
{
	const unsigned stages = STAGE_BIT(STAGE_XDP) | STAGE_BIT(STAGE_TC);
	const struct compile_options options = { .stages = stages, .form = wanted_form() };
	struct object compiled = {};
	int error = emit(ir, &options, "generated", &compiled, message);

	if (!error)
		error = link_object(&compiled, (enum family)ir->family, stages, linked, message);
	if (!error)
		error = add_direct(linked);
	object_free(&compiled);
	return error;
}

static int fill_devices(const struct programs *programs, const struct ground *ground)
{
	int map = bpf_object__find_map_fd_by_name(programs->object, "devices");

	for (size_t i = 0; i < DEVICE_COUNT; i++) {
		struct device device = { .flags = DEVICE_ETHERNET };

		memcpy(device.name, ground->devices[i].name, sizeof(device.name));
		memcpy(device.address, ground->devices[i].address, sizeof(device.address));
		if (bpf_map_update_elem(map, &ground->devices[i].index, &device, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* The first device's addresses of ground.c; those of the second are left to the FIB. */
static int fill_addresses(const struct programs *programs)
{
	const __be32 ipv6[4] = { htobe32(0xfd090001), 0, 0, htobe32(0xfe) };
	const __be32 ipv4[4] = { htobe32(0x0a0901fe) };
	union address_bucket bucket = {};
	const __be32 *address = programs->family == 4 ? ipv4 : ipv6;
	uint32_t key = address_hash(address) + (programs->family == 6 ? ADDRESS_BUCKETS : 0);

	memcpy(&bucket, address, programs->family == 4 ? sizeof(bucket.ipv4[0]) : sizeof(ipv6));
	return bpf_map_update_elem(
		bpf_object__find_map_fd_by_name(programs->object, "local_addresses"), &key, &bucket,
		BPF_ANY);
}

/* --- many at once --- */

/* Before it is loaded. Return: 0 or -errno. */
static int batch_size(const struct programs *programs)
{
	const char *const maps[] = { "batch", "batch_verdicts" };
	int error = 0;

	if (!programs->batch)
		return -bpf_program__set_autoload(
			bpf_object__find_program_by_name(programs->object, "direct_batch"), false);
	for (size_t i = 0; i < ARRAY_SIZE(maps) && !error; i++)
		error = bpf_map__set_max_entries(
			bpf_object__find_map_by_name(programs->object, maps[i]), programs->batch);
	return error;
}

static void *map_memory(const struct programs *programs, const char *map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_object__find_map_fd_by_name(programs->object, map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int batch_map(struct programs *programs)
{
	if (!programs->batch)
		return 0;
	programs->packets =
		map_memory(programs, "batch", programs->batch * sizeof(*programs->packets));
	programs->verdicts = map_memory(programs, "batch_verdicts",
					programs->batch * sizeof(*programs->verdicts));
	return programs->packets && programs->verdicts ? 0 : -errno;
}

struct packet *programs_batch(const struct programs *programs)
{
	return programs->packets;
}

const uint64_t *programs_batch_verdicts(const struct programs *programs)
{
	return programs->verdicts;
}

int programs_run_batch(const struct programs *programs, uint32_t count)
{
	int program =
		bpf_program__fd(bpf_object__find_program_by_name(programs->object, "direct_batch"));
	unsigned char frame[ETHERNET_SIZE + 40] = {};
	struct __sk_buff skb = { .mark = count };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb), .repeat = 1);

	if (count > programs->batch)
		return -E2BIG;
	if (bpf_prog_test_run_opts(program, &options))
		return -errno;
	return options.retval == count ? 0 : -EPROTO;
}

/* --- the object --- */

static int load(struct programs *programs, const struct object *linked, const struct ground *ground,
		struct message *message)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return message_set(message, cpus, "how many CPUs are there?");
	programs->cpus = (unsigned)cpus;
	programs->per_cpu = calloc(programs->cpus, sizeof(*programs->per_cpu));
	if (!programs->per_cpu)
		return -ENOMEM;
	programs->object = bpf_object__open_mem(linked->data, linked->size, NULL);
	if (!programs->object || batch_size(programs) || bpf_object__load(programs->object))
		return message_set(message, -errno, "cannot load the programs: %m");
	if (batch_map(programs))
		return message_set(message, -errno, "cannot map the packets: %m");
	for (size_t i = 0; i < PROGRAM_COUNT; i++)
		programs->fds[i] = bpf_program__fd(
			bpf_object__find_program_by_name(programs->object, shapes[i].name));
	programs->counters = bpf_object__find_map_fd_by_name(programs->object, "counters");
	if (fill_devices(programs, ground))
		return message_set(message, -errno, "cannot fill the map of devices: %m");
	if (fill_addresses(programs))
		return message_set(message, -errno, "cannot fill the map of addresses: %m");
	return 0;
}

int programs_load(struct programs **programs, const struct ir *ir, const struct ground *ground,
		  uint32_t batch, struct message *message)
{
	struct programs *new = calloc(1, sizeof(*new));
	struct object linked = {};
	int error = new ? make_object(ir, &linked, message) : -ENOMEM;

	if (!error) {
		new->family = ir->family;
		new->batch = batch;
		error = load(new, &linked, ground, message);
	}
	object_free(&linked);
	if (error)
		programs_free(new);
	else
		*programs = new;
	return error;
}

/* --- running --------------------------------------------------------------------------------- */

bool program_sees(const struct programs *programs, enum program program,
		  const struct raw_packet *packet)
{
	/* for an skb the kernel asks for a whole IP header */
	size_t least = shapes[program].is_xdp ? 0 : programs->family == 4 ? 20 : 40;
	struct packet attributed;

	if (program == PROGRAM_DIRECT)
		return packet_attributed(&attributed, packet, programs->family) == 0;
	return shapes[program].egress == (packet->hook == HOOK_OUTPUT) && packet->size >= least;
}

static size_t make_direct(const struct programs *programs, const struct raw_packet *packet,
			  unsigned char *frame)
{
	struct packet attributed;

	memset(frame, 0, ETHERNET_SIZE);
	frame[12] = ETH_P_802_EX1 >> 8;
	frame[13] = ETH_P_802_EX1 & 0xff;
	packet_attributed(&attributed, packet, programs->family);
	memcpy(frame + ETHERNET_SIZE, &attributed, sizeof(attributed));
	return ETHERNET_SIZE + sizeof(attributed);
}

static size_t make_frame(const struct programs *programs, enum program program,
			 const struct raw_packet *packet, const struct ground *ground,
			 unsigned char *frame)
{
	const uint8_t *address = ground->devices[shapes[program].device].address;
	unsigned protocol = programs->family == 4 ? ETH_P_IP : ETH_P_IPV6;

	memset(frame, 0, ETHERNET_SIZE);
	memcpy(frame + 6, packet_mac, 6);
	memcpy(frame + (shapes[program].egress ? 6 : 0), address, 6);
	frame[12] = (unsigned char)(protocol >> 8);
	frame[13] = (unsigned char)protocol;
	memcpy(frame + ETHERNET_SIZE, packet->data, packet->size);
	return ETHERNET_SIZE + packet->size;
}

int programs_run(const struct programs *programs, enum program program,
		 const struct raw_packet *packet, const struct ground *ground,
		 struct pending *pending)
{
	unsigned char frame[ETHERNET_SIZE + PACKET_BYTES_MAX];
	size_t size = program == PROGRAM_DIRECT
			      ? make_direct(programs, packet, frame)
			      : make_frame(programs, program, packet, ground, frame);
	unsigned index = ground->devices[shapes[program].device].index;
	struct xdp_md xdp = { .data_end = (__u32)size, .ingress_ifindex = index };
	struct __sk_buff skb = { .ifindex = index, .mark = packet->hook };
	struct bpf_test_run_opts options = {
		.sz = sizeof(options),
		.data_in = frame,
		.data_size_in = (__u32)size,
		.data_out = frame,
		.data_size_out = sizeof(frame),
		.repeat = 1,
	};

	options.ctx_in = shapes[program].is_xdp ? (void *)&xdp : (void *)&skb;
	options.ctx_size_in = shapes[program].is_xdp ? sizeof(xdp) : sizeof(skb);
	if (bpf_prog_test_run_opts(programs->fds[program], &options))
		return -errno;
	memcpy(pending, frame + ETHERNET_SIZE, sizeof(*pending));
	if (options.retval == shapes[program].pass)
		return VERDICT_ACCEPT;
	return options.retval == shapes[program].drop ? VERDICT_DROP : -EPROTO;
}

int programs_set_states(const struct programs *programs, const struct state *states, uint32_t count)
{
	uint32_t key = 0;

	if (!count)
		return 0;
	/* one element of all of them */
	return bpf_map_update_elem(
		bpf_object__find_map_fd_by_name(programs->object, STATES_SECTION), &key, states,
		BPF_ANY);
}

/* One block of counters, which become 0. */
static int take_block(const struct programs *programs, uint32_t block, struct counter *counters,
		      uint32_t count)
{
	size_t size = programs->cpus * sizeof(*programs->per_cpu);

	if (bpf_map_lookup_elem(programs->counters, &block, programs->per_cpu))
		return -errno;
	for (unsigned cpu = 0; cpu < programs->cpus; cpu++)
		for (uint32_t i = 0; i < count; i++) {
			counters[i].packets += programs->per_cpu[cpu].counters[i].packets;
			counters[i].bytes += programs->per_cpu[cpu].counters[i].bytes;
		}
	memset(programs->per_cpu, 0, size);
	return bpf_map_update_elem(programs->counters, &block, programs->per_cpu, BPF_ANY) ? -errno
											   : 0;
}

int programs_take_counters(const struct programs *programs, struct counter *counters,
			   uint32_t count)
{
	int error = 0;

	memset(counters, 0, count * sizeof(*counters));
	for (uint32_t first = 0; first < count && !error; first += COUNTERS_OF_BLOCK)
		error = take_block(programs, first / COUNTERS_OF_BLOCK, counters + first,
				   count - first < COUNTERS_OF_BLOCK ? count - first
								     : COUNTERS_OF_BLOCK);
	return error;
}
