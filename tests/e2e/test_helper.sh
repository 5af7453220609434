# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# -m helper beside the kernel's: a connection that FTP's helper expects, its control connection, and
# others, to a namespace with the kernel's own tables and to one with BPF.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export UBPFILTER_STRICT=yes UBPFILTER_HOOK=netfilter

rules() { # FILLERS
	local i
	echo "*filter"
	for ((i = 0; i < $1; i++)); do
		echo "-A INPUT -p tcp --dport $((1000 + i)) -j DROP"
	done
	cat <<-'R'
		-A INPUT -m helper --helper ftp
		-A INPUT -m helper ! --helper ftp
		-A INPUT -m helper --helper ftp-21
		-A INPUT -m helper ! --helper ftp-21
		-A INPUT -m helper --helper ft
		-A INPUT -m helper --helper irc
		-A INPUT -m helper ! --helper irc
		-A OUTPUT -m helper --helper ftp -m conntrack --ctstate ESTABLISHED
		-A OUTPUT -m helper ! --helper ftp
		COMMIT
	R
}

# A server that greets, which the helper waits for, and says where it takes the data, a client that
# goes there, and one that comes unexpected.
exchange() { # NAME NETWORK PORT: the data's, above 5120
	local name=$1 address=10.77.$2.2 port=$((5120 + $3)) control server
	inside "$name" "$traffic" sink $port >"$scratch/sink" &
	server=$!
	(
		printf '220 ready\r\n'
		until_true test -e "$scratch/greeted"
		printf '227 Entering Passive Mode (%s,20,%d)\r\n' "${address//./,}" "$3"
		until_true test -e "$scratch/done"
	) | inside "$name" busybox nc -l -p 21 >/dev/null &
	control=$!
	until_true listens "$name" 21
	until_true listens "$name" $port
	# shellcheck disable=SC2016
	inside sender bash -c '
		exec 3<>"/dev/tcp/$1/21" && read -r line <&3 && touch "$3/greeted" &&
			read -r line <&3 && [[ $line == 227* ]] &&
			exec 4<>"/dev/tcp/$1/$2" && exec 4<&-' - "$address" $port "$scratch"
	equal "$name: a connection that nobody expects" open \
		"$(inside sender "$traffic" tcp "$address" $port 10000)"
	touch "$scratch/done"
	wait $control || true
	kill -TERM $server
	wait $server || true
	rm "$scratch/done" "$scratch/greeted"
}

listens() { # NAME PORT
	inside "$1" ss -Htln "sport = :$2" | grep -q .
}

# Of a connection's end more or fewer packets come: which rules count, not how often.
counted() { # NAME
	if [ "$1" = bpf ]; then
		on_bpf bpf iptables-legacy-save -t filter -c
	else
		inside "$1" iptables-legacy-save -t filter -c
	fi | sed -n 's/^\[0:0\] \(-A .*helper\)/none \1/p; s/^\[[1-9][0-9]*:[0-9]*\] \(-A .*helper\)/some \1/p'
}

namespace kernel bpf sender
join sender kernel 1
join sender bpf 2

for fillers in 0 300; do
	for end in kernel:1 bpf:2; do
		IFS=: read -r name network <<<"$end"
		rules $fillers >"$scratch/rules"
		if [ $name = bpf ]; then
			on_bpf bpf iptables-legacy-restore "$scratch/rules"
		else
			inside kernel iptables-legacy-restore "$scratch/rules"
		fi
		inside $name iptables-legacy -t raw -F
		inside $name iptables-legacy -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
		exchange $name "$network" $((fillers % 256))
	done
	expected=$(counted kernel)
	contains "$fillers more rules: the kernel sees a connection of FTP's helper" \
		'^some -A INPUT -m helper --helper ftp$' "$expected"
	equal "$fillers more rules: rules that count are the kernel's" "$expected" "$(counted bpf)"
done
