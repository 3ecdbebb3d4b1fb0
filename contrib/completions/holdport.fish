# fish completion for holdport.
#
# What there is to offer is asked of the program that is installed (`holdport
# help --complete`), names of programs of the supervisor that the line speaks of.

set -g __holdport_valued -c --config --runtime-dir --timeout --state --generation --since --type -n --lines

# The words before the cursor that are no options: the command and the names.
function __holdport_words
    set -l words (commandline -opc)
    set -l skip no
    for word in $words[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word $__holdport_valued
            set skip yes
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# The programs of the supervisor that the line speaks of.
function __holdport_programs
    set -l words (commandline -opc)
    set -l finds
    for i in (seq (count $words))
        if contains -- $words[$i] -c --config --runtime-dir
            set -a finds $words[$i] $words[(math $i + 1)]
        else if string match -qr -- '^--(config|runtime-dir)=' $words[$i]
            set -a finds $words[$i]
        end
    end
    set -l json (holdport status --json --timeout 2s $finds 2>/dev/null | string collect)
    set -l before (string split -m 1 '"sockets"' -- $json)[1]
    string match -rag '"name": *"([^"]*)"' -- $before
end

# What stands in the place of the current word.
function __holdport_offers
    set -l words (__holdport_words)
    set -l command $words[1]
    set -l names (math (count $words) - 1)
    if test -z "$command"
        holdport help --complete 2>/dev/null
        return
    end
    set -l lines (holdport help --complete $command 2>/dev/null)
    for line in $lines
        set -l fields (string split \t -- $line)
        string match -q -- '-*' $fields[1]; and printf '%s\t%s\n' $fields[1] $fields[3]
    end
    switch "$command,$names"
        case help,0
            holdport help --complete 2>/dev/null
        case signal,1
            printf '%s\n' HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH
        case 'wait,[!0]*' 'logs,[!0]*' 'scale,*' 'signal,*'
            test $names = 0; and __holdport_programs
        case '*'
            string match -q 'NAME*' -- $lines[1]; and __holdport_programs
    end
end

function __holdport_before
    contains -- (commandline -opc)[-1] $argv
end

complete -c holdport -f
complete -c holdport -n 'not __holdport_before $__holdport_valued' -a '(__holdport_offers)'
complete -c holdport -n '__holdport_before -c --config' -F
complete -c holdport -n '__holdport_before --runtime-dir' -a '(__fish_complete_directories)'
complete -c holdport -n '__holdport_before --state' \
    -a 'stopped starting running restarting backoff failed stopping'
