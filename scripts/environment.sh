#!/bin/sh
# Make .venv hold what the program needs (`run`), or what its developers need as well (`dev`).
#
# What was installed is stamped with a hash of the pins, of the project and of the Python, so a second call
# returns at once. uv installs and byte-compiles; where it cannot be had, pip does the same more slowly.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
case $kind in
    run) target=. ;;
    dev) target='.[dev]' ;;
    *) echo "usage: $0 [run|dev]" >&2; exit 2 ;;
esac

usable='import sys; sys.exit(sys.version_info < (3, 11))'
find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$candidate" -c "$usable" 2>/dev/null && echo "$candidate" && return
    done
    echo "Greenlight needs Python 3.11 or newer, and ${PYTHON:-python3} is none: $(${PYTHON:-python3} --version 2>&1)" >&2
    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
}
python=$(find_python)

# The first line says what the environment itself hangs on, the second what is installed in it.
stamp=$("$python" - <<'END'
import hashlib, os, pathlib, platform

contents = b"".join(pathlib.Path(name).read_bytes() for name in ("constraints.txt", "pyproject.toml"))
print(platform.python_version(), os.getcwd())
print(hashlib.sha256(contents).hexdigest())
END
)
stamped() { [ "$(cat ".venv/.stamp-$1" 2>/dev/null)" = "$stamp" ]; }

stamped dev && exit 0
stamped "$kind" && exit 0

base=$(echo "$stamp" | head -n 1)
for other in run dev; do
    # A moved checkout or another Python: the scripts in .venv/bin point to what is no longer there.
    if [ -f ".venv/.stamp-$other" ] && [ "$(head -n 1 ".venv/.stamp-$other")" != "$base" ]; then rm -rf .venv; fi
done
rm -f .venv/.stamp-run .venv/.stamp-dev

echo "Making the environment in .venv ($kind): once, about half a minute."
.venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv
pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@"; }
with_uv() {
    pip uv && .venv/bin/python -m uv pip install --quiet --python .venv/bin/python --compile-bytecode \
        --constraint constraints.txt --build-constraint constraints.txt --editable "$target"
}
if ! with_uv; then
    echo "uv could not install it; pip tries, which takes a few minutes." >&2
    pip --editable "$target"
fi
# Where two start at once, as tests do, each would otherwise compile it all for itself.
.venv/bin/python -m compileall -q -j 0 bot handlers config migrations src
echo "$stamp" >".venv/.stamp-$kind"
