packages=(python3 busybox-static)
tags=(python:3 python:3.11)
options=(--cmd '["python3"]' --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    --env PYTHONDONTWRITEBYTECODE=1)

finish() {
    skeleton
    shell_tools
    ln -s ../../bin/python3 "$root/usr/local/bin/python"
    ln -s ../../bin/python3 "$root/usr/local/bin/python3"
}
