#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What bash completes for ringbuf(1). TAP; on the host. RINGBUF is the command,
# whose --help is compared with what is completed.
set -u
cd "$(dirname "$0")/.." || exit
ringbuf=${RINGBUF:-../build/userspace/ringbuf-static}
[[ $ringbuf == /* ]] || ringbuf=$PWD/$ringbuf
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
n=0 failed=0

. cli/ringbuf.bash
_ringbuf_dev=$work/dev
_ringbuf_program=$ringbuf
mkdir "$work/dev" "$work/files"
: >"$work/dev/ringbuf"
: >"$work/dev/ringbuf-audio"
: >"$work/dev/ringbuf-video"
: >"$work/dev/null"
: >"$work/files/a b"
: >"$work/files/flight.rb"
cd "$work/files" || exit

# result NAME GOT WANTED
result()
{
	n=$((n + 1))
	if [[ $2 == "$3" ]]; then
		echo "ok $n - $1"
	else
		failed=1
		printf '# got    %q\n# wanted %q\n' "$2" "$3"
		echo "not ok $n - $1"
	fi
}

# complete_words WORD...: as after a TAB behind the last one
complete_words()
{
	COMP_WORDS=(ringbuf "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_ringbuf
	local IFS='|'
	printf '%s' "${COMPREPLY[*]}"
}

echo 'TAP version 13'
result commands "$(complete_words '')" 'cat|pub|record|replay|create|rm|ls|info|top|metrics|bench|help'
result command_prefix "$(complete_words re)" 'record|replay'
result version "$(complete_words --v)" --version
result rings "$(complete_words cat '')" 'ringbuf|audio|video'
result ring_prefix "$(complete_words cat au)" audio
result ring_path "$(complete_words cat "$work/dev/r")" \
	"$work/dev/ringbuf|$work/dev/ringbuf-audio|$work/dev/ringbuf-video"
result one_ring "$(complete_words cat audio '')" ''
result many_rings "$(complete_words top audio v)" video
result options "$(complete_words cat --res)" '--resume='
result option_space "$(complete_words bench --q)" '--quick '
result from "$(complete_words cat --from ol)" oldest
result from_short "$(complete_words cat -f '')" 'oldest|newest'
result from_equals "$(complete_words record --from = n)" newest
result from_equals_empty "$(complete_words cat --from =)" 'oldest|newest'
result value_is_no_ring "$(complete_words cat --count 3 au)" audio
result value_is_free "$(complete_words cat --count '')" ''
result equals_is_no_ring "$(complete_words cat --count = 3 au)" audio
result short_value "$(complete_words cat -jf '')" ''
result resume_file "$(complete_words cat --resume fl)" flight.rb
result textfile "$(complete_words metrics -t fl)" flight.rb
result metrics_rings "$(complete_words metrics audio v)" video
result decode "$(complete_words cat --decode p)" proc
result sort "$(complete_words top --sort l)" 'lag|loss'
result rm "$(complete_words rm '')" 'audio|video'
result rm_more "$(complete_words rm audio v)" video
result create_name "$(complete_words create '')" ''
result create_size "$(complete_words create --size 6)" '64K|64M'
result create_clock "$(complete_words create -C t)" tai
result create_options "$(complete_words create --re)" '--reliable '
result wake "$(complete_words cat --wake-b)" '--wake-bytes='
result wake_value "$(complete_words cat -N 5 au)" audio
result ls "$(complete_words ls '')" ''
result speed "$(complete_words replay -s o)" original
result replay_file "$(complete_words replay '')" 'a b|flight.rb'
result replay_ring "$(complete_words replay flight.rb v)" video
result record_either "$(complete_words record a)" 'audio|a b'
result record_file "$(complete_words record audio f)" flight.rb
result pub_ring "$(complete_words pub a)" audio
result pub_file "$(complete_words pub audio a)" 'a b'
result after_dashes "$(complete_words pub -- audio f)" flight.rb
result help "$(complete_words help to)" top
result unknown_command "$(complete_words nonsense '')" ''
rm "$work"/dev/*
result no_ring "$(complete_words cat '')" ''
result registered "$(complete -p ringbuf)" 'complete -F _ringbuf ringbuf'

if [[ -x $ringbuf ]]; then
	for command in cat pub record replay create rm ls info top metrics bench; do
		# "  -f, --from WHERE": with an =.
		help=$("$ringbuf" $command --help |
			sed -nE 's/^  -[A-Za-z], (--[a-z-]+)( [A-Z].*)?( {2,}.*)?$/\1\2/p; s/^  -[A-Za-z], (--[a-z-]+) {2,}.*/\1/p' |
			sed -E 's/ [A-Z].*/=/; s/ .*//' | sort -u)
		got=$(_ringbuf_options $command | tr -s ' \t' '\n' | grep -vx '' | sort -u)
		result "options_$command" "$got" "$help"
		letters=$("$ringbuf" $command --help | sed -nE 's/^  -([A-Za-z]), --[a-z-]+ [A-Z].*/\1/p' | sort | tr -d '\n')
		got=$(_ringbuf_short $command | fold -w1 | sort | tr -d '\n')
		result "letters_$command" "$got" "$letters"
	done
fi
echo "1..$n"
exit $failed
