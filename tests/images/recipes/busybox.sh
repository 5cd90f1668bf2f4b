packages=(busybox-static)
tags=(busybox busybox:1.35)
options=(--cmd '["sh"]' --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

finish() {
    # Not merged: the image on Docker Hub has a true /bin too.
    rm "$root"/{bin,sbin,lib,lib64}
    mkdir "$root/bin" "$root/sbin"
    mv "$root/usr/bin/busybox" "$root/bin/"
    rm -rf "$root/usr/share" "$root"/usr/{bin,sbin,lib,lib64}
    applets
    mkdir -p "$root/usr/bin" "$root/usr/sbin"
    ln -s ../../bin/env "$root/usr/bin/env"
    skeleton
}
