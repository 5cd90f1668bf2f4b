# What `build` is made of; see there. A recipe (recipes/NAME.sh) sets
#   packages   Debian packages; what they depend on comes along
#   tags       the references the image is imported under
#   options    further options of `pillion image import`
#   files      what else it is made of, relative to this folder (part of the key)
#   base       a recipe whose root file system it starts from
#   finish     a function that turns the unpacked packages in $root into the image's content
# shellcheck shell=bash disable=SC2154

# Maintainer scripts are never run, so what only they would use is left out, with what it would drag in.
readonly unused=(adduser debconf dpkg init-system-helpers libpam-modules libpam-modules-bin libpam-runtime libpam0g
    libperl5.36 lsb-base mailcap passwd perl perl-base perl-modules-5.36 procps sensible-utils sysvinit-utils tar)

# Modification time of every file: any constant will do.
readonly epoch=1700000000

die() {
    echo "tests/images: $*" >&2
    exit 1
}

say() { echo "tests/images: $*" >&2; }

load_recipe() {
    packages=() tags=() options=() files=() base=
    finish() { :; }
    # shellcheck source=/dev/null
    source "$here/recipes/$1.sh"
    [[ ${#tags[@]} -gt 0 ]] || die "recipe $1 names no tag"
}

# recipe_key NAME: a short hash of all that decides the content of NAME.
recipe_key() (
    load_recipe "$1"
    {
        uname -m
        cat "$here/lib.sh" "$here/preferences" "$here/recipes/$1.sh"
        for file in "${files[@]}"; do
            cat "$here/$file" || die "recipe $1: no file $file"
        done
        [[ -z $base ]] || recipe_key "$base"
    } | sha256sum | cut -c1-16
)

rootfs_path() { echo "$cache/rootfs/$1-$(recipe_key "$1").tar"; }

step_rootfs() {
    local name=$1 from=$base tar
    tar=$(rootfs_path "$name")
    [[ ! -f $tar || -n ${REFRESH:-} ]] || return 0
    say "making the root file system of $name"
    mkdir -p "$cache/rootfs"
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    root=$work/root
    mkdir "$root"
    if [[ -n $from ]]; then
        (
            load_recipe "$from"
            step_rootfs "$from"
        )
        tar -xpf "$(rootfs_path "$from")" --numeric-owner -C "$root"
    fi
    [[ ${#packages[@]} = 0 ]] || unpack_packages "${packages[@]}"
    finish
    pack "$root" "$work/out.tar"
    rm -f "$cache/rootfs/$name"-????????????????.tar
    mv "$work/out.tar" "$tar"
}

# unpack_packages PACKAGE...: the packages and what they depend on, into $root.
unpack_packages() {
    local list
    list=$(download "$@") || die "packages cannot be had: $*"
    # As on Debian: /bin, /sbin and /lib are links into /usr.
    local dir
    for dir in bin sbin lib lib64; do
        mkdir -p "$root/usr/$dir"
        [[ -e $root/$dir ]] || ln -s "usr/$dir" "$root/$dir"
    done
    local deb package
    while read -r deb; do
        package=${deb##*/} package=${package%%_*}
        [[ " ${unused[*]} " != *" $package "* ]] || continue
        dpkg-deb --fsys-tarfile "$deb" | tar -xp --keep-directory-symlink --numeric-owner -C "$root"
    done <<<"$list"
    rm -rf "$root"/usr/share/{doc,man,info,locale,lintian,bash-completion,zsh,perl5,bug,menu,apport,initramfs-tools,vim} \
        "$root"/{usr/include,lib/systemd,var/lib/systemd,var/cache/apt} \
        "$root"/etc/{init.d,logrotate.d,default,systemd,ufw,cron.*,rc?.d,apt,initramfs-tools}
}

# download PACKAGE...: fetches the closure into the cache, prints the files. apt resolves against an empty machine, so
# the result does not depend on what is installed here, and checks signatures as always.
download() {
    local state=$cache/apt
    mkdir -p "$cache/debs/partial" "$state/empty/partial"
    [[ -s $state/status ]] || : >"$state/status"
    local apt=(apt-get -qq -y --no-install-recommends
        -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o Dir::State::lists=/var/lib/apt/lists
        -o "Dir::Cache=$state" -o "Dir::Etc::preferences=$here/preferences" -o Dir::Etc::preferencesparts=/dev/null
        -o Debug::NoLocking=true -o APT::Sandbox::User=root)
    # Without lists, or with lists so old that their packages are gone, ask for new ones; once.
    if ! fetch "$@" 2>"$state/log"; then
        say "refreshing the package lists"
        apt-get -qq update >&2 || die "apt-get update: package lists cannot be had"
        fetch "$@" 2>"$state/log" || { cat "$state/log" >&2 && return 1; }
    fi
    "${apt[@]}" -o "Dir::Cache::archives=$state/empty" --print-uris install "$@" |
        awk -v dir="$cache/debs" '/^.http|^.file|^.cdrom|^.mirror/ { print dir "/" $2 }' | sort
}

fetch() { "${apt[@]}" -o "Dir::Cache::archives=$cache/debs" --download-only install "$@" >&2; }

# applets [NAME...]: links busybox's programs where nothing better stands; all of them, or those named.
applets() {
    local busybox=$root/bin/busybox name
    [[ -x $busybox ]] || die "no busybox to link to"
    [[ $# -gt 0 ]] || set -- $("$busybox" --list)
    for name; do
        [[ -e $root/bin/$name || -L $root/bin/$name || -e $root/sbin/$name || -e $root/usr/bin/$name ]] ||
            ln -s busybox "$root/bin/$name"
    done
}

# A shell and the tools that a `sh -c` of a tutorial expects in an image made from Debian.
shell_tools() {
    applets sh ash awk basename cat chgrp chmod chown clear cp cut date dd df dirname du echo env expr false find free \
        grep egrep fgrep head hostname id kill less ln ls md5sum mkdir mkfifo mknod mktemp more mount mv nc nohup \
        nproc od pgrep pidof pkill printf ps pwd readlink realpath rev rm rmdir sed seq sha256sum sleep sort stat sync \
        tail tee test '[' time timeout top touch tr true tty umount uname uniq uptime vi watch wc wget which whoami \
        xargs yes zcat gzip gunzip tar ip netstat ping nslookup
    [[ -e $root/bin/bash ]] || ln -s busybox "$root/bin/bash"
}

# skeleton [PASSWD-LINE...]: the folders, users and name service rules of any root file system.
skeleton() {
    mkdir -p "$root"/{dev,etc,home,proc,root,run,sys,tmp,usr/local/bin,var/log,var/tmp}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    chmod 0700 "$root/root"
    [[ -e $root/var/run || -L $root/var/run ]] || ln -s ../run "$root/var/run"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'daemon:x:1:1:daemon:/usr/sbin:/bin/false' \
        'www-data:x:33:33:www-data:/var/www:/bin/false' "$@" \
        'nobody:x:65534:65534:nobody:/nonexistent:/bin/false' >"$root/etc/passwd"
    awk -F: '{ print $1 == "nobody" ? "nogroup:x:65534:" : $1 ":x:" $4 ":" }' "$root/etc/passwd" >"$root/etc/group"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

# pack DIR TAR: the same bytes for the same content.
pack() {
    tar --create --file "$2" --directory "$1" --sort=name --numeric-owner --mtime="@$epoch" --format=pax \
        --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs --xattrs-include='security.*' .
}
