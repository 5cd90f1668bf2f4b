# Common to `host` and `vm`.
# shellcheck shell=bash

# programs: builds what runs the scenarios and what they are about, unless both are up to date; PILLION names another program.
programs() {
    local built
    built=$(cargo build --quiet --package pillion --package pillion-lifecycle-cases --bins \
        --message-format=json-render-diagnostics)
    path_of() { sed -n "s/.*\"executable\":\"\([^\"]*\/$1\)\".*/\1/p" <<<"$built" | tail -n 1; }
    PILLION=${PILLION:-$(path_of pillion)}
    CASES=$(path_of lifecycle-cases)
    [[ -x $PILLION && -x $CASES ]] || {
        echo "cargo built no pillion or no lifecycle-cases" >&2
        return 1
    }
    export PILLION CASES
}
