# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `make run`: every verdict and counter is right, and nothing is left behind, also when interrupted.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

if output=$(BUILD=$build timeout 400 "$top/tests/e2e/demo" 2>&1); then
	pass "the main job: $(grep -c '^  ok ' <<<"$output") observations as iptables has them"
else
	failed "the main job" "$(grep -E 'WRONG|^ubpfilter' <<<"$output" || tail -n 20 <<<"$output")"
fi

begun() { grep -qs "Traffic" "$scratch/demo"; }

mkdir "$scratch/tmp"
for signal in INT TERM; do
	rm -f "$scratch/demo"
	set -m # or a background job ignores INT
	TMPDIR="$scratch/tmp" BUILD="$build" "$top/tests/e2e/demo" >"$scratch/demo" 2>&1 &
	demo=$!
	set +m
	succeeds "the demo begins" until_true begun
	own=$(ip netns list | cut -d' ' -f1 | grep "^ubpe-$demo-" || true)
	succeeds "$signal: it has namespaces of its own" test -n "$own"
	kill -"$signal" $demo
	status=0
	wait $demo || status=$?
	succeeds "$signal: it says that it was ended" test $status -gt 128
	equal "$signal: no namespace of it is left" "" "$(ip netns list | grep "^ubpe-$demo-" || true)"
	equal "$signal: no folder, mount or process of it is left" "" \
		"$(ls "$scratch/tmp"; grep -F "$scratch/tmp" /proc/mounts; grep -lsF "$scratch/tmp" /proc/[0-9]*/environ || true)"
done
