# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `ubpfilter check`: what it says of rules, by the place where they are enforced.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

mkdir "$scratch/work"
chmod 777 "$scratch/work"
cd "$scratch/work"

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }

says() { # NAME EXPECTED HOOK RULE... [-- OTHER LINES OF THE FILE...]: place, exactness and reasons
	local name=$1 expected=$2 hook=$3
	shift 3
	{
		printf '*filter\n'
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			printf '%s\n' "$1"
			shift
		done
		printf 'COMMIT\n'
		[ $# -eq 0 ] || printf '%s\n' "${@:2}"
	} >rules
	status=0
	output=$(as_nobody "$ubpfilter" check ${hook:+--hook "$hook"} rules 2>&1) || status=$?
	equal "$name" "$expected" "$(awk '/-A / { place = $1 " " $2 ":" ; getline; if (/^ /) $1 = $1; else $0 = "";
		print place, $0; exit }' <<<"$output" | sed 's/ $//')"
}

# the reasons, one by one
says "a port of this host's" "tc differs: fragments, unrouted" tc "-A INPUT -p tcp --dport 22 -j ACCEPT"
says "an address" "tc counts: unrouted" tc "-A INPUT -s 10.0.0.1 -j DROP"
says "a port that is forwarded" "tc counts: unrouted" tc "-A FORWARD -p tcp --dport 22 -j ACCEPT"
equal "the status says that something is not exact" 3 $status
says "the same where connections are tracked" "tc differs: fragments-forwarded, unrouted" tc \
	"-A FORWARD -p tcp --dport 22 -j ACCEPT" "-A OUTPUT -m state --state NEW"
says "the same at XDP" "xdp counts: unrouted, coalesced" xdp "-A FORWARD -p tcp --dport 22 -j ACCEPT"
says "a field that XDP does not know" 'kernel exact: match "length" reads the length, which hook xdp does not know' \
	xdp "-A FORWARD -m length --length 100"
says "a state" "tc differs: connections, unrouted" tc "-A INPUT -m state --state ESTABLISHED -j ACCEPT"
says "a state of what is sent" "tc counts: cut, unsent" xdp "-A OUTPUT -m state --state ESTABLISHED -j ACCEPT"
says "a status of what is sent" "tc differs: connections-sent, cut, unsent" xdp \
	"-A OUTPUT -m conntrack --ctstatus CONFIRMED -j ACCEPT"
says "a drop of what is sent, where connections are tracked" "tc differs: confirmed, sender, cut, unsent" tc \
	"-A OUTPUT -d 10.0.0.1 -j DROP" "-A OUTPUT -m state --state NEW"
says "a drop of what is sent" "tc counts: sender, cut, unsent" tc "-A OUTPUT -d 10.0.0.1 -j DROP"
says "a port of what is sent" "tc differs: fragments-sent, cut, unsent" tc "-A OUTPUT -p udp --dport 9 -j ACCEPT"
says "an output device" "tc differs: tunnels, unrouted" tc "-A FORWARD -o eth0 -j ACCEPT"
nat=("*nat" ":POSTROUTING ACCEPT" "-A POSTROUTING -j MASQUERADE" COMMIT)
says "a destination, with NAT" "tc differs: nat, unrouted" tc "-A FORWARD -d 10.0.0.1 -j ACCEPT" -- "${nat[@]}"
says "a source of what is sent, with NAT" "tc differs: nat-sent, cut, unsent" tc "-A OUTPUT -s 10.0.0.1 -j ACCEPT" \
	-- "${nat[@]}"
says "the same where connections are known" "tc differs: nat-errors, cut, unsent" tc "-A OUTPUT -s 10.0.0.1 -j ACCEPT" \
	"-A OUTPUT -m state --state NEW" -- "${nat[@]}"
says "without rules in it, the table nat is none" "tc counts: unrouted" tc "-A FORWARD -d 10.0.0.1 -j ACCEPT" -- "${nat[@]::2}" COMMIT

# user chains are where they are jumped to
says "a chain for what is forwarded" "tc counts: unrouted" tc ":web -" "-A web -p tcp --dport 80" "-A FORWARD -j web"
says "a chain that nobody jumps to" "nowhere exact:" tc ":web -" "-A web -p tcp --dport 80"
contains "its head, and the RETURN at its end, are no rules" '^4 rules and policies,' "$output"

# the kernel's
says "a match that BPF does not do" \
	"kernel exact: filter/INPUT rule 1: $beyond_why" tc "-A INPUT -m string --algo bm --string x"
equal "and all of its table is exact" 0 $status
contains "because the kernel enforces it" "^the kernel's own iptables enforces this table" "$output"
says "a target that BPF does not do" \
	'kernel exact: its target is not done in BPF where there are no netfilter hooks for it' tc \
	"-A INPUT -j REJECT"

# the netfilter stage, where the kernel has it
says "by default" "x" auto "-A INPUT -p tcp --dport 22 -j ACCEPT" >/dev/null
where=$(awk '/-A / { print $1, $2; exit }' <<<"$output")
if [ "${where% *}" = netfilter ]; then
	equal "at the netfilter hooks it is exact" "netfilter exact" "$where"
	equal "the status says so" 0 $status
	late='netfilter exact: not early:'
	says "a drop by what is known early is early" "early exact:" auto "-A INPUT -p tcp --dport 22 -j DROP"
	contains "the policy is said to be, too" '^early      exact    :INPUT DROP' \
		"$("$ubpfilter" check - <<<$'*filter\n:INPUT DROP\nCOMMIT')"
	says "what is known later" "$late it reads the connection state" auto "-A INPUT -m state --state INVALID -j DROP"
	says "a rule for some packets" "netfilter exact:" auto ":web -" \
		"-A INPUT -p udp -m state --state NEW -j ACCEPT" "-A INPUT -j web" "-A web -p tcp --dport 22 -j DROP" "-A web -m state --state NEW -j DROP" \
		"-A web -s 10.0.0.1 -j DROP"
	contains "lets the others on" '^early      exact    -A web -p tcp' "$output"
	contains "one that any packet may match does not" \
		'^ +not early: behind filter/web rule 2, which any packet may match$' "$(grep -A1 10.0.0.1 <<<"$output")"
	says "what this host sends" "netfilter exact:" auto "-A OUTPUT -p tcp --dport 22 -j DROP"
	says "without early stages" "netfilter exact:" netfilter "-A INPUT -p tcp --dport 22 -j DROP"
	says "a drop in front of the kernel's table" "early exact:" auto "-A INPUT -s 10.0.0.1 -j DROP" \
		"-A INPUT -m string --algo bm --string x"
	contains "so do programs that are in force" "netfilter" \
		"$(namespace a && on_bpf a iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT && "$ubpfilter" status)"
else
	equal "without netfilter hooks XDP and TC decide" "xdp/tc differs" "$where"
	says "and hook = netfilter" "" netfilter "-A INPUT -j ACCEPT"
	contains "is refused" "no BPF programs at netfilter hooks" "$output"
fi
# as configured
printf 'hook = tc\n' >config
UBPFILTER_CONF=config says "the hook of the configuration" "tc counts: unrouted" "" "-A INPUT -s 10.0.0.1 -j DROP"
printf 'strict = yes\n' >config
UBPFILTER_CONF=config says "what is refused by it" 'refused -: filter/INPUT rule 1: match "string" is not done in BPF: its text may be anywhere in a packet' "" \
	"-A INPUT -m string --algo bm --string x"
equal "is not exact" 3 $status
contains "and says so" "^this table is refused" "$output"
UBPFILTER_HOOK=xdp says "the hook of the environment" "xdp counts: unrouted, coalesced" "" "-A INPUT -s 10.0.0.1 -j DROP"
printf 'nonsense\n' >config
UBPFILTER_CONF=config says "a configuration that is none" "" "" "-A INPUT -j DROP"
contains "is refused by its line" "config:1: expected" "$output"
says "what iptables refuses" "" auto "-A INPUT --nonsense"
equal "is a failure" 1 $status
