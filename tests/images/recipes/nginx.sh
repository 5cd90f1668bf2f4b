packages=(nginx busybox-static)
tags=(nginx nginx:1.22)
options=(--cmd '["nginx","-g","daemon off;"]' --stop-signal SIGQUIT
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
files=(nginx/nginx.conf nginx/default.conf nginx/index.html nginx/50x.html)

finish() {
    skeleton 'nginx:x:101:101:nginx:/nonexistent:/bin/false'
    shell_tools
    local etc=$root/etc/nginx html=$root/usr/share/nginx/html
    rm -rf "$etc"/{sites-available,sites-enabled,modules-available,modules-enabled,snippets,conf.d} "$html"
    mkdir -p "$etc/conf.d" "$html" "$root/usr/lib/nginx/modules" "$root"/var/cache/nginx "$root"/var/lib/nginx "$root/var/log/nginx"
    cp "$here/nginx/nginx.conf" "$etc/nginx.conf"
    cp "$here/nginx/default.conf" "$etc/conf.d/default.conf"
    cp "$here"/nginx/{index,50x}.html "$html/"
    rm -f "$root"/var/log/nginx/*
    ln -s /dev/stdout "$root/var/log/nginx/access.log"
    ln -s /dev/stderr "$root/var/log/nginx/error.log"
}
