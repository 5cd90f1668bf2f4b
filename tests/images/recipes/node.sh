packages=(nodejs busybox-static)
tags=(node node:18)
options=(--cmd '["node"]' --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

finish() {
    skeleton 'node:x:1000:1000:node:/home/node:/bin/sh'
    shell_tools
    mkdir -p "$root/home/node"
    chown 1000:1000 "$root/home/node"
    ln -sf ../../bin/node "$root/usr/local/bin/node"
    # Read when a program asks for them (`node inspect`, type definitions); the runtime does not.
    rm -rf "$root/usr/share/systemtap" "$root"/usr/share/gcc "$root/usr/share/gdb"
}
