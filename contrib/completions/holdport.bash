# bash completion for holdport.
#
# What there is to offer is asked of the program that is installed (`holdport
# help --complete`), names of programs of the supervisor that the line speaks of.
# To try it: . contrib/completions/holdport.bash
# shellcheck shell=bash

# The options on the line that say which supervisor is meant, as words.
_holdport_finds() {
	local i
	finds=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | --runtime-dir)
			# bash takes --config=FILE apart at the =
			[ "${COMP_WORDS[i + 1]}" = "=" ] && finds+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 2]}") ||
				finds+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			;;
		esac
	done
}

# The programs of that supervisor, a line each; nothing where none answers.
_holdport_programs() {
	local finds json
	_holdport_finds
	json=$(holdport status --json --timeout 2s "${finds[@]/#\~/$HOME}" 2>/dev/null)
	json=${json%%\"sockets\"*}
	grep -o '"name": *"[^"]*"' <<<"$json" | sed 's/.*"\([^"]*\)"$/\1/'
}

# The command on the line, and how many names stand behind it.
_holdport_command() {
	local i word
	command='' names=0
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-c | --config | --runtime-dir | --timeout | --state | --generation | --since | --type | -n | --lines)
			[ "${COMP_WORDS[i + 1]}" = "=" ] && i=$((i + 1))
			i=$((i + 1))
			;;
		=) i=$((i + 1)) ;;	# the value of an option
		-*) ;;
		*) if [ -z "$command" ]; then command=$word; else names=$((names + 1)); fi ;;
		esac
	done
}

# What may be the value of an option; fails where the word is none.
_holdport_value() {
	case $1 in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$2"); compopt -o filenames ;;
	--runtime-dir) mapfile -t COMPREPLY < <(compgen -d -- "$2"); compopt -o filenames ;;
	--state)
		mapfile -t COMPREPLY < <(compgen -W \
			"stopped starting running restarting backoff failed stopping" -- "$2")
		;;
	--type) COMPREPLY=($(compgen -W "stream datagram seqpacket" -- "$current")) ;;
	--timeout | --generation | --since | -n | --lines) ;;
	*) return 1 ;;
	esac
}

_holdport() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command names offers
	COMPREPLY=()
	[ "$current" = "=" ] && current=
	[ "$before" = "=" ] && before=${COMP_WORDS[COMP_CWORD - 2]}
	_holdport_value "$before" "$current" && return
	_holdport_command
	# shellcheck disable=SC2086
	offers=$(holdport help --complete $command 2>/dev/null | cut -f1)
	case "$command,$names" in
	exec,0) [[ $current == -* ]] || { mapfile -t COMPREPLY < <(compgen -c -- "$current"); return; } ;;
	exec,*) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames; return ;;
	signal,1) offers+=$'\n'$(compgen -A signal SIG) ;;
	scale,1) ;;
	help,0) offers+=$'\n'$(holdport help --complete 2>/dev/null | cut -f1) ;;
	wait,[1-9]* | logs,[1-9]* | scale,[1-9]* | signal,[1-9]*) ;;
	*) [[ $'\n'$offers == *$'\n'NAME* ]] && offers+=$'\n'$(_holdport_programs) ;;
	esac
	offers=$(grep -vx -e NAME -e COMMAND <<<"$offers")
	mapfile -t COMPREPLY < <(compgen -W "$offers" -- "$current")
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	return 0
}

complete -F _holdport holdport
