# The image that people reach for when a Pod's network needs a tool: of its many, those that examples and tests use.
packages=(iptables nftables iproute2 curl ca-certificates busybox-static)
tags=(nicolaka/netshoot:v0.13)
options=(--cmd '["sh"]' --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

finish() {
    skeleton
    shell_tools
    # update-alternatives would choose these.
    local name
    for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        ln -sf xtables-nft-multi "$root/usr/sbin/$name"
    done
    rm -rf "$root/usr/share/ca-certificates" "$root/etc/ca-certificates"*
}
