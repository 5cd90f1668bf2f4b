packages=(redis-server busybox-static)
tags=(redis redis:7)
options=(--cmd '["redis-server"]' --workdir /data
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

finish() {
    skeleton 'redis:x:999:999:redis:/data:/bin/false'
    shell_tools
    mkdir -p "$root/data"
    chown 999:999 "$root/data"
    # The image on Docker Hub has no configuration file, so the server answers other hosts when told to.
    rm -rf "$root/etc/redis" "$root/var/lib/redis" "$root/var/log/redis"
}
