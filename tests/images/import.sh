# The second step of `build`: root file systems into Pillion's store. Apart from lib.sh, which is part of every key.
# shellcheck shell=bash disable=SC2154

step_import() {
    local name=$1 tar key tag stamp
    tar=$(rootfs_path "$name")
    key=$(recipe_key "$name")
    [[ -f $tar ]] || die "$name has no root file system yet: run build --rootfs $name"
    local pillion=${PILLION:-$("$here/../../scripts/pillion-path")}
    # A stamp holds what the store called the image after the import: another store, a removed or replaced image, a
    # changed recipe all differ from it.
    mkdir -p "$cache/imported"
    for tag in "${tags[@]}"; do
        stamp=$cache/imported/$(printf '%s\n' "${PILLION_ROOT:-}" "$tag" | sha256sum | cut -c1-32)
        [[ ! -f $stamp || $(describe) != "$(<"$stamp")" ]] || continue
        say "importing $tag"
        "$pillion" image import "$tar" --tag "$tag" "${options[@]}" >/dev/null || die "import of $tag"
        describe >"$stamp" || die "the store does not know $tag after its import"
    done
}

# The identity alone: the rest of what is told of an image changes with other names for it.
describe() { echo "$key" && "$pillion" image inspect "$tag" 2>/dev/null | grep '"Id"'; }
