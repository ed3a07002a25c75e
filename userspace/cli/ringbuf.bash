# SPDX-License-Identifier: GPL-2.0
# bash completion for ringbuf(1). It needs nothing of the package bash-completion.
# shellcheck disable=SC2046,SC2086 # lists of words

_ringbuf_commands='cat pub record replay create rm ls info top metrics bench help'

# Options of a command; those that take a value end in =
_ringbuf_options()
{
	case $1 in
	cat)
		echo '--from= --count= --until-eof --no-follow --follow --timeout= --reliable
			--wake-bytes= --wake-records= --wake-after= --resume= --json --hex --raw
			--decode= --verbose --escape'
		;;
	pub)
		echo '--whole --frames --length-prefixed --type= --rate= --split --verbose'
		;;
	record)
		echo '--from= --count= --until-eof --no-follow --timeout= --reliable --wake-bytes=
			--wake-records= --wake-after= --verbose'
		;;
	replay) echo '--speed= --verbose' ;;
	create)
		echo '--size= --reliable --stall= --clock= --mode= --max-consumers=
			--max-consumers-per-user='
		;;
	ls | info) echo '--json' ;;
	top) echo '--interval= --iterations= --sort=' ;;
	metrics) echo '--textfile=' ;;
	bench) echo '--quick --force --json' ;;
	esac
	echo '--help'
}

# Letters of options that take a value
_ringbuf_short()
{
	case $1 in
	cat) echo fctBNARd ;;
	record) echo fctBNA ;;
	create) echo sSCmcu ;;
	pub) echo Tr ;;
	replay) echo s ;;
	top) echo ins ;;
	metrics) echo t ;;
	esac
}

# _ringbuf_words CURRENT WORD...: those that begin so
_ringbuf_words()
{
	local current=$1 word
	shift
	for word; do
		[[ $word == "$current"* ]] && COMPREPLY+=("$word")
	done
}

_ringbuf_files()
{
	local file
	# As they are: the shell quotes them, and adds a / to directories.
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do
		COMPREPLY+=("$file")
	done < <(compgen -f -- "$1")
}

# Names, for what is no path; paths else
_ringbuf_rings()
{
	local node dev=${_ringbuf_dev:-/dev}
	if [[ $1 == */* ]]; then
		for node in "$dev"/ringbuf "$dev"/ringbuf-*; do
			[[ -e $node ]] && _ringbuf_words "$1" "$node"
		done
		[[ ${#COMPREPLY[@]} -gt 0 ]] || _ringbuf_files "$1"
		return
	fi
	[[ -e $dev/ringbuf ]] && _ringbuf_words "$1" ringbuf
	_ringbuf_named_rings "$1"
}

# Those that are not the module's
_ringbuf_named_rings()
{
	local node dev=${_ringbuf_dev:-/dev}
	for node in "$dev"/ringbuf-*; do
		[[ -e $node ]] && _ringbuf_words "$1" "${node##*/ringbuf-}"
	done
}

# _ringbuf_value COMMAND OPTION CURRENT: fails if it takes none
_ringbuf_value()
{
	case $1:$2 in
	cat:--from | cat:-f | record:--from | record:-f)
		_ringbuf_words "$3" oldest newest
		;;
	cat:--resume | cat:-R | metrics:--textfile | metrics:-t) _ringbuf_files "$3" ;;
	cat:--decode | cat:-d)
		_ringbuf_words "$3" help $("${_ringbuf_program:-ringbuf}" cat --decode help 2>/dev/null |
			while read -r name _; do echo "$name"; done)
		;;
	replay:--speed | replay:-s) _ringbuf_words "$3" full original ;;
	top:--sort | top:-s) _ringbuf_words "$3" lag rate loss ;;
	create:--size | create:-s) _ringbuf_words "$3" 64K 256K 1M 4M 16M 64M 256M 1G ;;
	create:--clock | create:-C) _ringbuf_words "$3" boottime monotonic realtime tai none ;;
	create:--mode | create:-m) _ringbuf_words "$3" 0600 0640 0644 0660 ;;
	*)
		if [[ $2 == --* ]]; then
			[[ " $(_ringbuf_options "$1" | tr '\n\t' '  ') " == *" $2= "* ]]
		else
			# The last letter of several
			[[ -n $(_ringbuf_short "$1") && $2 == -*[$(_ringbuf_short "$1")] ]]
		fi
		;;
	esac
}

# _ringbuf_argument COMMAND HOW-MANY-BEFORE CURRENT
_ringbuf_argument()
{
	case $1:$2 in
	info:* | top:* | metrics:* | cat:0 | bench:0 | pub:0 | replay:1) _ringbuf_rings "$3" ;;
	rm:*) _ringbuf_named_rings "$3" ;;
	pub:* | replay:0 | record:1) _ringbuf_files "$3" ;;
	record:0)
		_ringbuf_rings "$3"
		_ringbuf_files "$3"
		;;
	help:0) _ringbuf_words "$3" $_ringbuf_commands ;;
	esac
}

_ringbuf()
{
	local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
	local i word arguments=0 ended='' option=''

	COMPREPLY=()
	if ((COMP_CWORD <= 1)); then
		_ringbuf_words "$current" $_ringbuf_commands
		[[ $current == -* ]] && _ringbuf_words "$current" --help --version
		return
	fi
	# The shell makes --from=old three words.
	for ((i = 2; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == '=' && $option == --* ]]; then
			continue
		elif [[ -n $option ]]; then
			option=''
		elif [[ -n $ended || $word != -?* ]]; then
			arguments=$((arguments + 1))
		elif [[ $word == -- ]]; then
			ended=1
		elif COMPREPLY=() && _ringbuf_value "$command" "$word" ''; then
			option=$word
		fi
	done
	COMPREPLY=()
	[[ $current == '=' ]] && current=''
	if [[ -n $option ]]; then
		_ringbuf_value "$command" "$option" "$current"
	elif [[ -z $ended && $current == -* ]]; then
		compopt -o nospace 2>/dev/null
		for word in $(_ringbuf_options "$command"); do
			# A space behind what takes no value, and no = twice
			[[ $word == *= ]] || word+=' '
			[[ $word == "$current"* ]] && COMPREPLY+=("$word")
		done
	else
		_ringbuf_argument "$command" "$arguments" "$current"
	fi
	return 0
}

complete -F _ringbuf ringbuf
