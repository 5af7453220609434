# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Targets that BPF knows no more of than that the packet goes on behind them. What they do, and what
# is counted, is held against the same rules in the kernel's own table.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

namespace plain bpf peer
join peer plain 1
join peer bpf 2
on_bpf bpf iptables-legacy -A INPUT -p udp --dport 7 -j LOG
need_executions "targets"

# Who has each target, a line for each: what cannot be tried is left out in both.
targets=()
add_if_known() { # RULE: with NAME for the namespace's
	if inside peer $ip-legacy -A INPUT ${1//NAME/probe} 2>/dev/null; then
		targets+=("$1")
	else
		skip "${1##*-j }" "this kernel or iptables does not know it"
	fi
}

rules() { # NAME
	echo "*filter"
	printf -- '-A INPUT %s\n' "${targets[@]//NAME/$tag$1}"
	printf -- '-A INPUT -p udp --dport 9 -j DROP\nCOMMIT\n'
	echo "*security"
	printf -- '-A INPUT -p udp -m connmark --mark %s\n' 4 5
	printf -- '-A INPUT -p udp -m mark --mark %s\n' 5 9
	echo COMMIT
}

load() {
	rules plain | inside plain $ip-legacy-restore
	rules bpf | on_bpf bpf $ip-legacy-restore
}

counted() { # NAME: by all tables, as iptables-save says it
	if [ "$1" = plain ]; then
		inside plain $ip-legacy-save -c
	else
		on_bpf bpf $ip-legacy-save -c
	fi | grep '^\[' | sed "s/$tag$1/NAME/; s/10.77.[12]/NET/g; s/fd77:[12]:/NET:/g"
}

members() { # NAME
	inside "$1" ipset save "seen$family" | grep ^add | sed 's/10.77.[12]/NET/g; s/fd77:[12]:/NET:/g' | sort
}

# Datagrams that come back to the peer from where it sent them to.
clones() { # NAME
	inside peer $ip-legacy -t raw -nvxL PREROUTING | awk -v device="$1" '$0 ~ "udp" && $0 ~ " " device " " { print $1 }'
}

for family in 4 6; do
	ip=iptables first=10.77. middle=. inet=inet
	[ $family = 4 ] || ip=ip6tables first=fd77: middle=:: inet=inet6
	targets=()
	inside peer ipset create "seen$family" hash:ip,port family $inet 2>/dev/null || true
	for name in plain bpf; do
		inside $name ipset create "seen$family" hash:ip,port family $inet 2>/dev/null || true
		inside peer $ip-legacy -t raw -A PREROUTING -p udp -i $name
	done
	add_if_known "-p udp --dport 7 -j CONNMARK --set-xmark 0x5/0xffffffff"
	add_if_known "-p udp --dport 7 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"
	add_if_known "-p udp --dport 8 -j CONNMARK --set-xmark 0x2/0xffffffff --left-shift-mark 1"
	add_if_known "-p udp --dport 8 -j HMARK --hmark-tuple src --hmark-mod 1 --hmark-offset 9 --hmark-rnd 1"
	add_if_known "-p udp --dport 7:9 -j SET --add-set seen$family src,dst"
	add_if_known "-p udp --dport 9 -j IDLETIMER --timeout 600 --label NAME"
	add_if_known "-p udp --dport 8:9 -j AUDIT --type accept"
	add_if_known "-p udp --dport 7 -j RATEEST --rateest-name NAME --rateest-interval 250ms --rateest-ewmalog 500ms"
	load
	contains "IPv$family: BPF enforces the table" "BPF, targets of ${#targets[@]} rules executed" "$(enforcers)"
	for name in plain bpf; do
		network=$([ $name = plain ] && echo 1 || echo 2)
		for port in 7 8 9; do
			inside peer "$traffic" udp "$first$network${middle}2" $port $((port - 5)) >/dev/null 2>&1 || true
		done
	done
	equal "IPv$family: rules, marks and counters" "$(counted plain)" "$(counted bpf)"
	contains "IPv$family: there are marks of connections" "^\[2:.*connmark --mark 0x5" "$(counted bpf)"
	contains "IPv$family: and of packets" "^\[2:.*-m mark --mark 0x5" "$(counted bpf)"
	equal "IPv$family: members of the set" "$(members plain)" "$(members bpf)"
	if printf '%s\n' "${targets[@]}" | grep -q IDLETIMER; then
		succeeds "IPv$family: the timer is there" inside bpf test -e "/sys/class/xt_idletimer/timers/${tag}bpf"
	fi
	# a copy goes through OUTPUT, while the packet is in the kernel's table
	for name in plain bpf; do
		network=$([ $name = plain ] && echo 1 || echo 2)
		on=inside
		[ $name = plain ] || on=on_bpf
		printf '*filter\n-A INPUT -p udp --dport 7 -j TEE --gateway %s\n-A OUTPUT -p udp --dport 7 -j NFLOG\nCOMMIT\n' \
			"$first$network${middle}1" | $on $name $ip-legacy-restore
		inside peer "$traffic" udp "$first$network${middle}2" 7 3 >/dev/null 2>&1 || true
	done
	contains "IPv$family: TEE is executed" "BPF, targets of 2 rules executed" "$(enforcers)"
	equal "IPv$family: copies" "$(clones plain) of 3" "$(clones bpf) of 3"
	equal "IPv$family: TEE's counters" "$(counted plain)" "$(counted bpf)"
	on_bpf bpf $ip-legacy -F
done

kernels() { # NAME REASON RULE...
	for rule in "${@:3}"; do
		# shellcheck disable=SC2086
		on_bpf bpf iptables-legacy $rule
	done
	contains "$1" "the kernel's ip_tables: $2" "$(enforcers | grep IPv4)"
	on_bpf bpf iptables-legacy -F
}
kernels "a match that reads the mark of the connection" \
	'filter/INPUT rule 2: match "connmark" reads what target "CONNMARK" of the same table changes' \
	"-A INPUT -j CONNMARK --set-mark 1" "-A INPUT -m connmark --mark 1 -j DROP"
kernels "user space may have it done again" 'filter/INPUT rule 1: target "NFQUEUE" is not done in BPF: user space' "-A INPUT -j NFQUEUE"
kernels "the packet changes" 'filter/FORWARD rule 1: target "TCPMSS" is not done in BPF: later rules' \
	"-A FORWARD -p tcp --syn -j TCPMSS --set-mss 1000"
