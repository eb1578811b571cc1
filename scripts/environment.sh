# Read by the other scripts (". scripts/environment.sh"): goes to the project's top and makes .venv ready.
# Needs python3 with pip, or uv; everything else is fetched. Costs nothing when all is there.
#
#   environment client    the command `remora`
#   environment dev       that, and all that the tests need

environment() {
    uv=uv
    if ! uv --version >/dev/null 2>&1; then
        # No uv here: a private one, in a folder that git ignores.
        uv=.tools/bin/uv
        if ! "$uv" --version >/dev/null 2>&1; then
            echo "Fetching uv into .tools" >&2
            python3 -m pip install --quiet --disable-pip-version-check --upgrade --target .tools uv
        fi
    fi
    if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        "$uv" venv --quiet --clear --python '>=3.11' .venv
    fi
    set -- "$1" --quiet --python .venv/bin/python \
        --constraints constraints.txt --build-constraints constraints.txt --editable '.[client]'
    case $1 in
        client) shift ;;
        dev) shift; set -- "$@" --group dev ;;
    esac
    "$uv" pip install "$@"
}

cd "$(dirname "$0")/.."
