# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line: help for everything, one line and status 2 for what makes no sense.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"


for arguments in --help --version "exec --help" "translate --help" "check --help" "dump --help" "status --help" \
	"stop --help"; do
	# shellcheck disable=SC2086
	succeeds "ubpfilter $arguments" "$ubpfilter" $arguments
done

wrong=("" "nonsense" "--nonsense" "exec" "exec --nonsense" "translate" "translate a b"
	"translate --hook cloud a" "translate --hook" "translate -" "translate --nonsense a"
	"check" "check a b" "check --hook cloud a" "check --nonsense a" "dump --nonsense" "dump surplus" "dump --netns" "status surplus" "status --nonsense"
	"stop surplus" "stop --nonsense")
for arguments in "${wrong[@]}"; do
	status=0
	# shellcheck disable=SC2086
	output=$("$ubpfilter" $arguments 2>&1 >/dev/null) || status=$?
	equal "ubpfilter $arguments: status" 2 "$status"
	equal "ubpfilter $arguments: one line" 1 "$(wc -l <<<"$output")"
done

output=$("$ubpfilter" status)
contains "status without a supervisor says so" "no supervisor runs" "$output"
succeeds "stop without a supervisor is fine" "$ubpfilter" stop
status=0
output=$("$ubpfilter" dump --netns ../etc 2>&1) || status=$?
equal "a namespace's name is no path" "1 ubpfilter dump: \"../etc\" is no name of a network namespace" \
	"$status $output"
status=0
output=$("$ubpfilter" exec -- "$scratch/nothing" 2>&1) || status=$?
equal "exec of nothing" 127 "$status"
