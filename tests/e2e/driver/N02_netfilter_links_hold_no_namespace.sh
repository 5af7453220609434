# SPDX-License-Identifier: GPL-2.0-only
# A netfilter link holds its namespace. We let go when nobody else does, and not before.
. "$(dirname "$0")/lib.sh"
states=$UBPFILTER_RUNDIR/netns
pins=$UBPFILTER_RUNDIR/bpf
declare -A state

in_namespace() { # NAME COMMAND...
	local name=$1
	shift
	LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$tag-$name" "$@"
}

namespace() { # NAME...: each with a rule, and so with netfilter links
	local name before
	for name in "$@"; do
		before=$(ls "$states" 2>/dev/null)
		ip netns add "$tag-$name"
		ip -n "$tag-$name" link set lo up
		in_namespace "$name" iptables-legacy -A INPUT -p 99 -j DROP || fail "cannot add a rule"
		state[$name]=$(comm -13 <(echo "$before") <(ls "$states"))
		[ -e "$pins/${state[$name]}/links/ipv4-local_in" ] || skip "no netfilter links on this kernel"
	done
}

is_known() { [ -e "$states/${state[$1]}" ] && [ -e "$pins/${state[$1]}/links" ]; }
is_forgotten() { [ ! -e "$states/${state[$1]}" ] && [ ! -e "$pins/${state[$1]}" ]; }

# Those to stay are looked at with one that is to go.
stay() { # WHEN NAME...
	local when=$1 name
	shift
	ip netns del "$tag-witness"
	until_true "$when: a namespace without users is forgotten" is_forgotten witness
	for name in "$@"; do
		is_known "$name" || fail "$when: $name is forgotten"
	done
}

holder() { # NAME COMMAND...: a process that says when it holds what it should
	local name=$1
	shift
	"$@" >"$scratch/$name.holds" 2>&1 &
	holder[$name]=$!
	until_true "$name is held" grep -qs holds "$scratch/$name.holds"
}
declare -A holder

serve
namespace witness process descriptor socket mount
holder process ip netns exec "$tag-process" bash -c 'echo holds; exec sleep infinity'
exec {held}<"/run/netns/$tag-descriptor"
holder socket ip netns exec "$tag-socket" bash -c 'exec 5<>/dev/udp/127.0.0.1/9 && echo holds &&
	exec nsenter --net=/proc/'$$'/ns/net sleep infinity'
touch "$scratch/elsewhere"
holder mount unshare -m --propagation private bash -c "mount --bind /run/netns/$tag-mount $scratch/elsewhere &&
	echo holds && exec sleep infinity"
for name in process descriptor socket mount; do
	ip netns del "$tag-$name"
done
stay "without a name" process descriptor socket mount

# By a driver that finds neither name nor process for three of them.
namespace witness
kill -9 "$(driver)"
until_true "there is another driver" control health 2>/dev/null
stay "after a restart" process descriptor socket mount
equal "its rule is there still" "-A INPUT -p 99 -j DROP" \
	"$(LD_PRELOAD=$programs/libubpfilter.so nsenter --net=/proc/self/fd/$held iptables-legacy -S INPUT | tail -n 1)"

kill "${holder[@]}"
wait "${holder[@]}" 2>/dev/null
exec {held}<&-
for name in process descriptor socket mount; do
	until_true "$name is forgotten with its last user" is_forgotten $name
done

# One that ends while nobody looks.
namespace late
driver=$(driver)
disown -a # bash says whom it saw killed
kill -9 "$(supervisor)" "$driver"
until_true "the driver is gone" test ! -e "/proc/$driver"
ip netns del "$tag-late"
serve
until_true "there is a driver again" control health 2>/dev/null
until_true "the next start forgets it" is_forgotten late
