/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts shared by the BPF programs, the code that the translator emits, and user space.
 * Both sides include this file; every layout is asserted.
 */
#ifndef UBPFILTER_TYPES_H
#define UBPFILTER_TYPES_H

#include <linux/types.h>

/* What a generated chain function returns. */
enum verdict {
	VERDICT_DROP = 0,
	VERDICT_ACCEPT = 1,
	VERDICT_DEFER = 2, /* a later stage decides: this one does not know enough */
};

/* State of the transport header at struct packet::protocol, set by the parser. */
enum transport {
	TRANSPORT_NONE = 0,	    /* not looked at: the protocol has no header that rules read */
	TRANSPORT_OK = 1,	    /* all bytes that rules read are there and parsed */
	TRANSPORT_TRUNCATED = 2,    /* offset 0, but the packet ends inside the header, or something
				       follows a mobility header: hotdrop */
	TRANSPORT_PORTS = 3,	    /* the same, but behind the ports, which are there */
	TRANSPORT_FRAGMENT = 4,	    /* not the first fragment: there is no header */
	TRANSPORT_FRAGMENT_ONE = 5, /* fragment offset 1 (8 bytes): a TCP match drops it */
};

enum packet_flags {
	PACKET_FRAGMENT = 1 << 0,	 /* fragment offset is not 0 (what -f matches) */
	PACKET_NO_PROTOCOL = 1 << 1,	 /* IPv6: the extension headers cannot be walked: a protocol
					    match drops the packet, unless PACKET_FRAGMENT */
	PACKET_TCP_OPTIONS_BAD = 1 << 2, /* doff < 5, or options truncated: --tcp-option drops */
	PACKET_HAS_MAC = 1 << 3,	 /* came in an Ethernet frame; only if NEED_MAC */
	PACKET_HAS_SOCKET = 1 << 4,  /* a socket of this namespace sent it; only if NEED_OWNER */
	PACKET_HAS_OWNER = 1 << 5,   /* and a process has that socket open; the same */
	PACKET_TCP_MSS_BAD = 1 << 6, /* no whole TCP header to look for it: -m tcpmss drops; only if
					NEED_TCP_MSS */
};

/* What else was found in a packet. */
enum packet_facts {
	PACKET_HAS_TCP_MSS = 1 << 0, /* it offers a segment size; only if NEED_TCP_MSS */
	PACKET_EUI64 = 1 << 1,	   /* IPv6: the source is made of the frame's; only if NEED_EUI64 */
	PACKET_HAS_CLASS = 1 << 2, /* a whole socket of this namespace; only if NEED_CGROUP_CLASS */
};

/* Extension headers: of each kind, the first. */
enum ipv6_header {
	HEADER_HOP_BY_HOP = 1 << 0,
	HEADER_ROUTING = 1 << 1,
	HEADER_FRAGMENT = 1 << 2,
	HEADER_AUTHENTICATION = 1 << 3,
	HEADER_DESTINATION = 1 << 4,
};

/* What matches on extension headers read. */
struct ipv6_headers {
	__u8 found; /* enum ipv6_header; routing and options only if the packet has all of them */
	__u8 hop_by_hop_size;  /* the second byte of the header: units of 8 bytes, less 1 */
	__u8 destination_size; /* the same */
	__u8 routing_size;     /* the same */
	__u8 routing_type;
	__u8 segments_left;
	__u8 authentication_size; /* units of 4 bytes, less 2 */
	__u8 reserved;
	__u16 authentication_reserved; /* as in the header */
	__be16 fragment_offset;	       /* with its flags, as in the header */
	__u32 fragment_id;	       /* host order */
	__u32 authentication_spi;      /* host order */
	__u32 routing_reserved;	       /* the 4 bytes behind the fixed ones, as in the header */
	__u8 fragment_reserved;
	__u8 unused[7];
};

_Static_assert(sizeof(struct ipv6_headers) == 32, "offsets are in generated code");

#define IFACE_NAME_SIZE 16

/* struct connection::state, one bit each; numbered as XT_CONNTRACK_STATE_BIT() of xt_conntrack.h.
 */
enum connection_state {
	CONNECTION_INVALID = 1 << 0, /* neither tracked nor exempted */
	CONNECTION_ESTABLISHED = 1 << 1,
	CONNECTION_RELATED = 1 << 2,
	CONNECTION_NEW = 1 << 3,
	CONNECTION_SNAT = 1 << 6, /* beside one of the others, as the next */
	CONNECTION_DNAT = 1 << 7,
	CONNECTION_UNTRACKED = 1 << 8,
};

enum connection_flags {
	CONNECTION_TRACKED = 1 << 0, /* there is a connection: the fields behind `flags` count */
	CONNECTION_REPLY = 1 << 1,   /* the packet goes in the direction of replies */
};

/* What conntrack knows of a packet, as `-m conntrack` sees it. */
struct connection {
	__u16 state;		    /* enum connection_state */
	__u8 flags;		    /* enum connection_flags */
	__u8 protocol;		    /* of the connection (--ctproto) */
	__u32 status;		    /* IPS_* of nf_conntrack_common.h */
	__u32 expires;		    /* seconds until the kernel forgets it */
	__u16 original_source_port; /* host order, also ICMP's id where the protocol has no ports */
	__u16 original_destination_port; /* the same */
	__u16 reply_source_port;	 /* the same */
	__u16 reply_destination_port;	 /* the same */
	__u32 mark;
	__u64 counts; /* where the kernel counts what it transfers, an address; 0: nowhere; only if
			 NEED_CONNECTION_COUNTS */
	__be32 original_source[4]; /* as struct packet::source */
	__be32 original_destination[4];
	__be32 reply_source[4];
	__be32 reply_destination[4];
};

_Static_assert(sizeof(struct connection) == 96, "offsets are in generated code");

/* How rules are counted, by who runs and what can interrupt it. */
enum counting {
	COUNTING_PLAIN,	 /* bottom halves are off: nobody else counts on this CPU meanwhile */
	COUNTING_ATOMIC, /* a process sends: packets that arrive interrupt it */
	COUNTING_LATER,	 /* early stages: noted, and counted if the packet ends here */
};

/* Rules that a packet matched in an early stage, in order. */
#define NOTES_MAX 16
struct notes {
	__u32 count; /* above NOTES_MAX: some are missing, a later stage decides */
	__u32 rules[NOTES_MAX];
};

/*
 * Targets that the kernel executes for a packet when BPF has judged it, in order (bpf/execute.h).
 * No table passes compile() in which a packet could get more of them.
 */
#define PENDING_MAX 15
struct pending {
	__u8 count;
	__u8 codes[PENDING_MAX]; /* number of the target, plus 1; and EXECUTION_ENDS */
};

#define EXECUTION_ENDS	  0x80 /* the packet ends with the target, which has the verdict */
#define EXECUTION_NUMBERS 127  /* targets of a table that differ, at most */

static inline __u32 execution_number(__u32 code)
{
	return (code & (EXECUTION_ENDS - 1)) - 1;
}

/* What table_count() is told: the rule's index, and above it the code of what it executes, or 0. */
#define COUNTED_RULE_BITS 24
#define COUNTED_RULE_MASK ((1u << COUNTED_RULE_BITS) - 1)

/*
 * A packet as rules see it, parsed once by the entry program and passed by pointer to the generated
 * functions, which only read it.
 */
struct packet {
	__be32 source[4];		/* network order; IPv4 in [0], the rest 0 */
	__be32 destination[4];		/* the same */
	__u8 in_name[IFACE_NAME_SIZE];	/* as iptables sees it, NUL padded; all 0: no such device */
	__u8 out_name[IFACE_NAME_SIZE]; /* the same */
	__u64 tcp_options[4]; /* bit k of [k / 64]: option kind k occurs; only if NEED_TCP_OPTIONS
			       */
	__u32 length;	      /* bytes from the IP header on: what byte counters add */
	union {
		struct {
			__u16 source_port; /* host order; 0 unless TRANSPORT_OK or _PORTS, and TCP,
					      UDP, UDP-Lite, SCTP or DCCP */
			__u16 destination_port; /* the same */
		};
		__u32 spi; /* host order; only if TRANSPORT_OK, and ESP or AH (IPv4) */
	};
	__u16 icmp;		/* type << 8 | code; 0 unless TRANSPORT_OK and ICMP or ICMPv6; of an
				   IPv6 mobility header the type */
	__u8 protocol;		/* IPv4: of the header; IPv6: after the extension headers */
	__u8 transport;		/* enum transport */
	__u8 flags;		/* enum packet_flags */
	__u8 tcp_flags;		/* byte 13 of the TCP header; 0 unless TRANSPORT_OK and TCP */
	__u8 family;		/* 4 or 6 */
	__u8 counting;		/* enum counting */
	struct pending pending; /* filled in by the chain's function; only if NEED_EXECUTION */
	union {
		__u8 mac[6]; /* INPUT, FORWARD: the frame's source; only if PACKET_HAS_MAC */
		struct {
			__u32 uid; /* OUTPUT: of who opened the socket; if PACKET_HAS_OWNER */
			__u32 gid;
		};
	};
	__u32 mark;	       /* only if NEED_MARK */
	__u8 tos;	       /* IPv6: traffic class */
	__u8 ttl;	       /* IPv6: hop limit; FORWARD sees it counted down */
	__u8 packet_type;      /* PACKET_HOST and so on, as -m pkttype; only if NEED_PACKET_TYPE */
	__u8 facts;	       /* enum packet_facts */
	__u32 in_group;	       /* of the device, 0 where there is none; only if NEED_GROUPS */
	__u32 out_group;       /* the same */
	__u32 realm;	       /* of the route (IPv4); only if NEED_REALM */
	__u16 processor;       /* that works on the packet; only if NEED_PROCESSOR */
	__u8 source_type;      /* RTN_* of rtnetlink.h, what routing takes the address for (IPv4);
				  only if NEED_SOURCE_TYPE */
	__u8 destination_type; /* the same; only if NEED_DESTINATION_TYPE */
	__u16 tcp_mss;	       /* that TCP offers; only if PACKET_HAS_TCP_MSS */
	__u8 dccp_type;	       /* only if NEED_DCCP_TYPE; 0 unless TRANSPORT_OK and DCCP */
	__u8 headers_broken; /* enum ipv6_header: cannot be looked for, or too short: their matches
				drop the packet; only if NEED_IPV6_HEADERS */
	__u32 cgroup_class;  /* of the sending or receiving socket; only if PACKET_HAS_CLASS */
	__u8 helper[16];     /* name of the helper that expected the connection, NUL padded; only if
				NEED_HELPER */
	struct ipv6_headers headers; /* only if NEED_IPV6_HEADERS */
	union {
		struct connection connection; /* only if NEED_CONNECTION */
		struct notes notes;	      /* COUNTING_LATER: in place of what is not known */
	};
	/* of no meaning, and not cleared, where no match asks for it: */
	__u64 groups; /* struct group_info of the socket's owner, an address; only if
			 NEED_OWNER_GROUPS and PACKET_HAS_OWNER */
};

_Static_assert(sizeof(struct packet) == 320, "offsets of struct packet are in generated code");

/* What a table's chains read that costs something to find; in the object's `table_needs`. */
enum table_needs {
	NEED_IN_NAME = 1 << 0,
	NEED_OUT_NAME = 1 << 1,
	NEED_TCP_OPTIONS = 1 << 2,
	NEED_FORWARD = 1 << 3, /* FORWARD decides otherwise than INPUT: they must be told apart */
	NEED_CONNECTION = 1 << 4,
	NEED_CONNECTION_TUPLES = 1 << 5, /* its addresses, ports and protocol, too */
	NEED_CONNECTION_EXPIRY = 1 << 6, /* and when it expires */
	NEED_STATE = 1 << 8,		 /* it has stateful matches: bpf/state.bpf.c */
	NEED_CLOCK = 1 << 9, /* some of them ask what time it is: bpf/wall_clock.bpf.c */
	NEED_MAC = 1 << 7,
	NEED_OWNER = 1 << 10,
	NEED_MARK = 1 << 11,
	NEED_PACKET_TYPE = 1 << 12,
	NEED_EXECUTION = 1 << 13,	  /* it has targets that the kernel executes */
	NEED_CONNECTION_COUNTS = 1 << 14, /* what connections have transferred */
	NEED_SOURCE_TYPE = 1 << 15,
	NEED_DESTINATION_TYPE = 1 << 16,
	NEED_GROUPS = 1 << 17,
	NEED_REALM = 1 << 18,
	NEED_PROCESSOR = 1 << 19,
	NEED_RATES = 1 << 20, /* it has tables of rates: bpf/rates.h */
	NEED_TCP_MSS = 1 << 21,
	NEED_DCCP_TYPE = 1 << 22,
	NEED_EUI64 = 1 << 23,
	NEED_CGROUP_CLASS = 1 << 24,
	NEED_HELPER = 1 << 25,
	NEED_OWNER_GROUPS = 1 << 26, /* and all groups of a socket's owner: bpf/groups.bpf.c */
	NEED_IPV6_HEADERS = 1 << 27,
};

/* One rule's counter. Rules are numbered as the entries of the table's blob. */
struct counter {
	__u64 packets;
	__u64 bytes;
};

/*
 * An element of the per-CPU map `counters`: rule r's counter is [r % COUNTERS_OF_BLOCK] of element
 * r / COUNTERS_OF_BLOCK. The kernel allocates and copies each element by itself.
 */
#define COUNTERS_OF_BLOCK     64
#define COUNTER_BLOCKS(rules) (((rules) + COUNTERS_OF_BLOCK - 1) / COUNTERS_OF_BLOCK)
struct counter_block {
	struct counter counters[COUNTERS_OF_BLOCK];
};

/* One device in the map `devices`, key: ifindex. Written by the loader, read by the programs. */
struct device {
	__u8 name[IFACE_NAME_SIZE]; /* NUL padded; empty: no such device */
	__u8 address[6];	    /* link-layer address; all 0: the device has none */
	__u16 vlan_id;		    /* of a VLAN device */
	__u8 flags;		    /* enum device_flags */
	__u8 ipv6_fib;		    /* enum ipv6_fib */
	__u16 kept_groups; /* with DEVICE_HAS_MASTER: bit n: frames to 01-80-C2-00-00-0n stay with
			      the port */
	__u32 vrf;	   /* ifindex of the VRF whose port it is; 0: it is none */
};

_Static_assert(sizeof(struct device) == 32, "value size of the map devices");

enum device_flags {
	DEVICE_HAS_MASTER =
		1 << 0, /* port of a bridge, bond, ...: frames belong to the master; no VRF's */
	DEVICE_ETHERNET = 1 << 1, /* frames start with an Ethernet header */
	DEVICE_LOOPBACK = 1 << 2,
	DEVICE_KEEPS_TAGS = 1 << 3, /* VLAN device whose frames have tags behind their header
				       (reorder_hdr off, also of the device below) */
	DEVICE_VRF = 1 << 4,
};

/*
 * The FIB as programs may ask it forwards nothing from a device whose own switch
 * net.ipv6.conf.DEVICE.forwarding is off; the kernel does if that of `all` is on. Whom to ask then.
 */
enum ipv6_fib {
	IPV6_FIB_OWN = 0,      /* the device's answer is the kernel's */
	IPV6_FIB_LOOPBACK = 1, /* the loopback device's is */
	IPV6_FIB_UNKNOWN = 2,  /* nobody's */
};

#define LOOPBACK_IFINDEX 1 /* the namespace's first device, which never leaves it */

#define DEVICES_NEAR 1024 /* ifindexes below are found without a call */
#define DEVICES_FAR  4096 /* how many there may be of others */

/* Of u32 words, which the loader sets where bottom halves can be preempted: bpf/slot.h. */
#define SLOTS_SECTION ".rodata.slots"

/*
 * Addresses of this host in the map `local_addresses`, by address_hash(): a bucket holds those with
 * the same hash, the free places last. An address that is missing costs a packet to it time, no
 * more; one too many sends it to the wrong chain.
 */
#define ADDRESS_BUCKETS	  512 /* of each family, IPv6 after IPv4; a power of two */
#define ADDRESSES_OF_IPV4 8
#define ADDRESSES_OF_IPV6 2

union address_bucket {
	__be32 ipv4[ADDRESSES_OF_IPV4]; /* 0: free */
	__be32 ipv6[ADDRESSES_OF_IPV6][4];
};

/* @address: as struct packet::source. */
static inline __u32 address_hash(const __be32 address[4])
{
	__u32 sum = address[0] ^ address[1] << 1 ^ address[2] << 2 ^ address[3];

	return sum * 0x9e3779b1u >> 23;
}

_Static_assert(ADDRESS_BUCKETS == 1 << (32 - 23), "the hash is a bucket's index");

/* Tables of a namespace that have programs. Index into `generation` and part of the slot. */
enum table_family {
	TABLE_IPV4 = 0,
	TABLE_IPV6 = 1,
	TABLE_FAMILIES = 2,
};

/*
 * The dispatcher's program arrays hold one slot for each family and parity of its generation:
 * slot = family * 2 + (generation[family] & 1). Generation 0: the table has no programs yet.
 */
#define TABLE_SLOTS (TABLE_FAMILIES * 2)

#endif
