packages=(curl busybox-static)
tags=(curlimages/curl:7.88.1)
options=(--entrypoint '["curl"]' --cmd '["--version"]' --user curl_user
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

finish() {
    skeleton 'curl_user:x:100:101:curl_user:/home/curl_user:/bin/false'
    shell_tools
    mkdir -p "$root/home/curl_user"
    chown 100:101 "$root/home/curl_user"
}
