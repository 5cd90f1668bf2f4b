# Steps that are counted. `scripts/lint` and `scripts/test` are made of these.
# shellcheck shell=bash
passed=0 failed=0 broken=()

# step NAME COMMAND...: a command that passes or fails as one.
step() {
    local name=$1
    shift
    echo "--- $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        broken+=("$name")
    fi
}

# tests NAME COMMAND...: a command that counts by itself, in cargo's words or in ours.
tests() {
    local name=$1 log status=0 counts
    shift
    log=$(mktemp)
    echo "--- $name"
    "$@" 2>&1 | tee "$log" || status=$?
    counts=$(sed -E -n -e 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed;.*/\1 \2/p' \
        -e 's/^([0-9]+) passed, ([0-9]+) failed(, [0-9]+ skipped)?$/\1 \2/p' "$log" |
        awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }')
    rm -f "$log"
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    # What did not compile or did not come to its end counted nothing.
    if [[ $status != 0 && ${counts#* } = 0 ]]; then failed=$((failed + 1)); fi
    [[ $status = 0 ]] || broken+=("$name")
}

lints() {
    step "format" cargo fmt --all --check
    step "clippy" cargo clippy --quiet --workspace --all-targets -- -D warnings
    step "dependencies" scripts/check-deny
    step "file length" scripts/check-file-length
    step "shared scenarios" scripts/check-shared
    step "shell syntax" scripts/check-shell
}

# finish: the closing line, and the exit code that goes with it.
finish() {
    [[ ${#broken[@]} = 0 ]] || printf 'broken: %s\n' "${broken[@]}"
    # For a caller whose own last words would otherwise hide it (make's, after a failure).
    mkdir -p target
    echo "$passed passed, $failed failed" | tee target/test-counts
    [[ $failed = 0 && ${#broken[@]} = 0 && $passed -gt 0 ]]
}
