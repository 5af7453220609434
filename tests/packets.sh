# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Packets in hexadecimal, for build/tests/e2e/frame, and twins: a namespace "ours", filtered by
# ubpfilter, beside one that the kernel's iptables filters. To be sourced after lib.sh.

frame=$build/tests/e2e/frame
router=020000000001 # link-layer addresses
sender=020000000009

zeros() { printf '%0*d' $(($1 * 2)) 0; } # BYTES

udp() { # BYTES OF PAYLOAD
	printf '03e807d0%04x0000' $((8 + $1))
	zeros "$1"
}

ipv4() { # SOURCE DESTINATION [BYTES [VERSION [TTL [FRAGMENT FIELD]]]]
	local header sum=0 i
	# shellcheck disable=SC2046,SC2086 # addresses are split on purpose
	header=$(printf '%x500%04x0001%s%02x110000%02x%02x%02x%02x%02x%02x%02x%02x' "${4:-4}" \
		$((28 + ${3:-20})) "${6:-0000}" "${5:-64}" ${1//./ } ${2//./ })
	for ((i = 0; i < 40; i += 4)); do
		sum=$((sum + 16#${header:i:4}))
	done
	sum=$(((sum & 0xffff) + (sum >> 16)))
	printf '%s%04x%s' "${header:0:20}" $((~(sum + (sum >> 16)) & 0xffff)) "${header:24}"
	udp "${3:-20}"
}

ipv6() { # SOURCE DESTINATION, 32 digits each [BYTES [VERSION [PAYLOAD LENGTH]]]
	printf '%x0000000%04x1140%s%s' "${4:-6}" "${5:-$((8 + ${3:-20}))}" "$1" "$2"
	udp "${3:-20}"
}

ethernet() { # PACKET [TAGS [DESTINATION]]
	local type=0800
	[ "${1:0:1}" != 6 ] || type=86dd
	printf '%s%s%s%s%s' "${3:-$router}" "$sender" "${2:-}" "$type" "$1"
}

priority_tags() { # NUMBER
	local i
	for ((i = 0; i < $1; i++)); do
		printf '8100e000'
	done
}

# --- rules of twins --------------------------------------------------------------------------

iptables_of() { # TWIN FAMILY ARGUMENT...
	local name=$1 command=iptables-legacy
	[ "$2" = 4 ] || command=ip6tables-legacy
	shift 2
	if [ "$name" = ours ]; then
		on_bpf ours "$command" "$@"
	else
		inside "$name" "$command" "$@"
	fi
}

# Packets and bytes of each rule, which start again at 0.
take_counters() { # TWIN FAMILY
	iptables_of "$1" "$2" -L -Z -v -n -x | awk '$1 ~ /^[0-9]+$/ { printf "%s/%s ", $1, $2 }'
}
