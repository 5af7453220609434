# SPDX-License-Identifier: GPL-2.0-only
. "$(dirname "$0")/lib.sh"
namespaces
for ((i = 0; i < 8; i++)); do ip netns add "$tag-$i"; done

# Thirty-two at once, before there is a supervisor: one is started, all are answered. (iptables
# itself would let them in one by one, because of its lock.)
exec 9>"$scratch/gate"
flock 9
for ((i = 0; i < 32; i++)); do
	LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$tag-$((i % 8))" \
		flock --shared "$scratch/gate" "$helpers/sockopt" 4 info >"$scratch/answer.$i" 2>&1 9>&- &
done
sleep 0.5 # for all to be at the gate
exec 9>&-
wait
for ((i = 0; i < 32; i++)); do
	equal "client $i" 0 "$(cat "$scratch/answer.$i")"
done
equal "supervisors" 1 "$(supervisors | wc -l)"

# Thirty-two changes at once: each takes effect in its own namespace.
for ((i = 0; i < 32; i++)); do
	LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$tag-$((i % 8))" \
		iptables-legacy -w -I INPUT -s "10.16.$((i % 8)).$i" -j DROP 2>"$scratch/error.$i" &
done
wait
for ((i = 0; i < 32; i++)); do
	[ -s "$scratch/error.$i" ] && fail "client $i: $(cat "$scratch/error.$i")"
done
equal "supervisors" 1 "$(supervisors | wc -l)"
for ((i = 0; i < 8; i++)); do
	LD_PRELOAD=$programs/libubpfilter.so ip netns exec "$tag-$i" iptables-legacy -S INPUT |
		sed -n 's/^-A INPUT -s 10.16.\([0-9]*\).*/\1/p' | sort | uniq -c >"$scratch/got"
	equal "rules of namespace $i" "      4 $i" "$(cat "$scratch/got")"
done

# A stranger gets EPERM, as from the kernel, whether a supervisor runs or not, and learns nothing.
stranger() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
chmod 755 "$scratch"
cp "$helpers"/{sockopt,half_client,control} "$programs/libubpfilter.so" "$scratch"
for where in running stopped; do
	equal "a stranger ($where)" EPERM \
		"$(LD_PRELOAD=$scratch/libubpfilter.so stranger "$scratch/sockopt" 4 info 2>&1)"
	equal "the kernel's answer" EPERM "$(stranger "$scratch/sockopt" 4 info 2>&1)"
	stranger ls "$UBPFILTER_RUNDIR" >/dev/null 2>&1 && fail "a stranger can list the folder"
	for name in lock driver.lock bpf netns; do
		stranger test -r "$UBPFILTER_RUNDIR/$name" && fail "a stranger can read $name"
	done
	if [ $where = running ]; then
		timeout 5 setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$scratch/half_client" hello 1 >/dev/null && fail "a stranger was let in"
		control stop >/dev/null
	fi
done
equal "no supervisor was started by a stranger" "" "$(supervisors)"

# Root of a user namespace of its own is master of its own network namespace, and of no other.
ipt -S >/dev/null
own="unshare --user --map-root-user --net"
stranger $own true 2>/dev/null || { echo "  no unprivileged user namespaces: part left out"; exit 0; }
equal "its own namespace" 0 \
	"$(LD_PRELOAD=$scratch/libubpfilter.so stranger $own "$scratch/sockopt" 4 info 2>&1)"
for command in status stop configure; do
	stranger $own "$scratch/control" $command >/dev/null 2>&1 && fail "it may $command"
done
stranger unshare --user --map-root-user "$scratch/control" tables >/dev/null 2>&1 &&
	fail "it may ask about a namespace that is not its own"
equal "the supervisor lives on" 1 "$(supervisors | wc -l)"
