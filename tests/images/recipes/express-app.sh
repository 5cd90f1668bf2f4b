base=node
tags=(express-app:1.0)
options=(--cmd '["node","server.js"]' --workdir /app --user node --env NODE_ENV=production
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
files=(express-app/package.json express-app/package-lock.json express-app/server.js)

finish() {
    command -v npm >/dev/null || die "express-app needs npm: run scripts/setup-test, or apt-get install npm"
    mkdir "$root/app"
    cp "$here"/express-app/{package.json,package-lock.json,server.js} "$root/app/"
    # `ci` installs exactly what the lock file names, digests checked.
    (cd "$root/app" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
        --cache "$cache/npm" --update-notifier=false >&2) || die "npm ci of express-app"
    rm -f "$root/app/node_modules/.package-lock.json"
    chown -R 0:0 "$root/app"
}
