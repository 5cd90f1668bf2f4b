# What the commands of cases have at hand, besides `pillion` on PATH and these variables:
#   WORK      an empty folder                      EXAMPLES   the examples
#   STDOUT    the file that stdout goes to         IMAGES     root file systems as tar files (NAME-KEY.tar)
#   STDERR    the file that stderr goes to         PILLION_ROOT, CGROUP_BASE
# shellcheck shell=bash disable=SC2034

# start ARGUMENT...: pillion in the background, as $pid. With job control for a moment: otherwise the shell would
# start it with SIGINT ignored.
start() {
    set -m
    pillion "$@" &
    pid=$!
    set +m
}

# end [SIGNAL]: asks it to end (Ctrl-C by default) and passes its exit code on.
end() {
    local ending=$pid
    pid=
    kill -s "${1:-INT}" "$ending"
    wait "$ending"
}

# Whether it makes sense to wait any longer for something that the program in the background is to do.
waiting() { [[ -z ${pid:-} ]] || kill -0 "$pid" 2>/dev/null; }

# wait_for PATTERN [FILE]: until a line of FILE (stdout) matches; at most 20 seconds.
wait_for() {
    local file=${2:-$STDOUT}
    for _ in {1..400}; do
        ! grep -q -E -- "$1" "$file" || return 0
        waiting || break
        sleep 0.05
    done
    echo "case: nothing like $1 came" >&2
    return 1
}

# until_ok COMMAND...: until it succeeds; at most 20 seconds. Its output is that of the last try.
until_ok() {
    local output
    for _ in {1..400}; do
        if output=$("$@" 2>&1); then
            [[ -z $output ]] || printf '%s\n' "$output"
            return 0
        fi
        waiting || break
        sleep 0.05
    done
    printf 'case: no success: %s\n%s\n' "$*" "$output" >&2
    return 1
}

# say ARGUMENT...: what is typed, what pillion says (to stdout and stderr), and its exit code if it is not 0.
say() {
    printf '%s\n' "\$ pillion $*"
    pillion "$@" 2>&1 || echo "code $?"
}

# get URL [CURL-OPTION...]: the page, as soon as something answers.
get() { until_ok curl --silent --show-error --fail --max-time 5 "$@"; }

# status URL: the status code alone, as soon as something answers.
status() { until_ok curl --silent --show-error --max-time 5 --output /dev/null --write-out '%{http_code}' "$@"; }
