#!/bin/sh
# Says in one sentence what is missing to set Suijian up; `need.sh python` prints the Python to use.
set -u

fail() {
    echo "$1" >&2
    exit 2
}

for python in python3.11 python3.12 python3.13 python3.14 python3 python; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$python
        break
    fi
done
[ -n "${found:-}" ] || fail "Suijian needs Python 3.11 or newer, which is not on the path; install python3.11 (Debian: apt install python3 python3-venv)."
"$found" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "Suijian needs Python's venv module, which $found lacks; install it (Debian: apt install python3-venv)."
if [ "${1:-}" = python ]; then
    echo "$found"
    exit 0
fi
command -v node >/dev/null 2>&1 ||
    fail "Suijian needs Node 20 or newer to set up the browser libraries; install it (Debian: apt install nodejs npm)."
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
    fail "Suijian needs Node 20 or newer; this is $(node --version). Install a newer one."
command -v npm >/dev/null 2>&1 ||
    fail "Suijian needs npm to set up the browser libraries; install it (Debian: apt install npm)."
