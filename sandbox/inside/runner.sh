# The held process of a sandbox whose image has no usable Python. POSIX shell; needs cp, chmod,
# dd, head, cat, tar, rm, mkdir, mkfifo and env, which busybox and coreutils have.
#
# The first line on stdin is the token of the session, every further one is an order: a line of
# shell code from the host that calls the functions below. Output of commands goes to stdout, and
# so do answers, each begun by the token, which no command knows: this shell runs from a copy of
# itself that nobody may read, so the kernel lets no process of the same user look into it.

set -f
held=/run/greenloop/.held
nl='
'
IFS= read -r token

say() {
    printf '%s %s\n' "$token" "$*"
}

# Survives whatever a stray `kill` sends short of SIGKILL. Functions, not '': what is ignored stays
# ignored in every command.
shrug() {
    trap stray=1 HUP INT QUIT TERM USR1 USR2 ALRM PIPE
}

# Counts the processes that are visible; three are ours: init, its sleep, this shell.
count_processes() {
    set +f
    set -- /proc/[0-9]*
    set -f
    processes=$#
}

# kill -1 must never be run where others live.
check_alone() {
    while read -r name uid rest; do
        [ "$name" = Uid: ] && break
    done </proc/self/status
    count_processes
    base=$processes
    if [ "$uid" = 0 ] || [ "$base" -gt 6 ]; then
        echo "not in a sandbox of its own" >&2
        exit 1
    fi
}

# Passes on exactly the next $1 bytes on stdin to descriptor 9. No reader may leave a rest behind:
# what follows is the next order.
take() {
    dd bs="$1" count=1 iflag=fullblock 2>/dev/null | { cat >&9; cat >/dev/null; }
}

# run none|file|pipe FOLDER PROGRAM [ARGUMENT ...]: starts a command; `end CODE` tells its end.
run() {
    case $1 in
        none) exec 6</dev/null ;;
        file) exec 6<"$held/in" ;;
        pipe)
            rm -f "$held/fifo"
            mkfifo "$held/fifo"
            exec 7<>"$held/fifo"
            exec 6<"$held/fifo" 8>"$held/fifo" 7>&-
            feeding=1
            ;;
    esac
    folder=$2
    shift 2
    {
        (cd "$folder" || exit 127; exec "$@") <&6 2>&1 6<&- 8>&- &
        child=$!
        exec 6<&- 8>&-
        shrug
        code=129
        # A stray signal ends `wait` early; only a child that is gone has ended.
        while [ "$code" -gt 128 ]; do
            wait "$child"
            code=$?
            kill -0 "$child" || break
        done
        say end "$code"
    } </dev/null 2>/dev/null &
    exec 6<&-
}

# feed BYTES: input for the command that runs.
feed() {
    if [ "$feeding" ]; then
        take "$1" 9>&8 2>/dev/null
    else
        take "$1" 9>/dev/null
    fi
}

end_input() {
    [ "$feeding" ] && exec 8>&-
    feeding=
}

# Kills everything but this shell, and tells how often memory ran out: `over COUNT`.
reap() {
    end_input
    while :; do
        kill -9 -1 2>/dev/null
        wait
        count_processes
        [ "$processes" -le "$base" ] && break
    done
    # What a command did to our own limits (prlimit asks for no more than the same user), every
    # later one would inherit.
    [ "$(ulimit -a)" = "$limits" ] || exit 1
    [ -e "$held/in" ] && rm -f "$held/in"
    kills=0
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$file" ] || continue
        while read -r name value; do
            [ "$name" = oom_kill ] && kills=$value
        done <"$file"
    done
    say over "$kills"
}

# drop ANCESTOR ... PATH: deletes, never through a link.
drop() {
    while [ $# -gt 1 ]; do
        [ -L "$1" ] && return
        shift
    done
    rm -rf "$1"
}

# fit ANCESTOR ... PATH: clears the way for a file, whatever a command left there.
fit() {
    while [ $# -gt 1 ]; do
        if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then
            rm -f "$1"
        elif [ -d "$1" ] && [ ! -w "$1" ]; then
            chmod u+rwx "$1"
        fi
        shift
    done
    rm -rf "$1"
}

# unpack FOLDER: reads a tar in parts, each after a line with its number of bytes; 0 ends it.
unpack() {
    while IFS= read -r bytes && [ "$bytes" -gt 0 ]; do
        dd bs="$bytes" count=1 iflag=fullblock 2>/dev/null
    done | {
        tar -xmf - -C "$1" 2>"$held/problem"
        code=$?
        cat >/dev/null
        exit $code
    }
    code=$?
    problem=
    if [ $code -ne 0 ]; then
        IFS= read -r problem <"$held/problem"
        (echo >"$1/.greenloop-space") 2>/dev/null || problem="No space left on device: $problem"
        rm -f "$1/.greenloop-space"
    fi
    say done "$code" "$problem"
}

# show BYTES ANCESTOR ... PATH: the first bytes of a regular file, no link followed.
show() {
    limit=$1
    shift
    while [ $# -gt 1 ]; do
        if [ -L "$1" ]; then
            say none
            return
        fi
        shift
    done
    if [ -L "$1" ] || [ ! -f "$1" ] || [ ! -r "$1" ]; then
        say none
        return
    fi
    head -c "$limit" <"$1"
    say some
}

# collect BYTES [TAR OPTION ...]: a tar of the tree, cut after that many bytes.
collect() {
    limit=$1
    shift
    tar "$@" -cf - . 2>/dev/null | head -c "$limit"
    say some
}

# hello TREE HOME WAITED-FOR ...: makes ready.
hello() {
    cd "$1" || exit 1
    mkdir -p "$2" 2>/dev/null
    shift 2
    for folder; do
        tries=0
        until [ -w "$folder" ] || [ $tries -gt 99999 ]; do
            tries=$((tries + 1))
        done
    done
    # Background commands of a shell ignore SIGINT and SIGQUIT; where env can undo that, it does.
    signals=
    env --default-signal=INT,QUIT true 2>/dev/null && signals=--default-signal=INT,QUIT
    session=
    setsid true 2>/dev/null && session=setsid
    wait
    say ready
}

feeding=
limits=$(ulimit -a)
rm -f "$held/sh"
check_alone
shrug
stray=
while :; do
    if IFS= read -r order; then
        eval "$order"
    elif [ "$stray" ]; then
        stray= # a stray signal ended `read`, not the host
    else
        break
    fi
done
kill -9 -1
