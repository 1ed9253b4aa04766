# The script in front of a self-extracting ./chat. build.ts puts lines before it that set
#
#   runtime, program   directories below the cache, named by the hash of what is in them
#   flags              of `deno run`
#   unpack_all         a function that calls `unpack` for every part
#
# The first start unpacks into the user's cache, which may be deleted at any time. Every start ends
# in exec: the process that was started as ./chat, with its streams, signals and exit code, is the
# program itself.

set -fu

case $0 in
  /*) self=$0 ;;
  ./*) self=$PWD/${0#./} ;;
  *) self=$PWD/$0 ;;
esac

# unpack FIRST_BYTE LAST_BYTE SHA256 FILE
# The file gets its name once it is complete and checked, so that neither a full disk nor several
# first starts at once leave half a program to be run.
unpack() {
  target=$cache/$4
  [ -x "$target" ] && return
  (
    umask 077
    mkdir -p "${target%/*}" && partial=$(mktemp "$target.XXXXXX") || exit
    trap 'rm -f "$partial"' EXIT
    trap 'exit 1' HUP INT TERM
    head -c "$2" "$self" | tail -c "+$1" | gzip -dc >"$partial" || exit
    [ "$(sha256sum <"$partial")" = "$3  -" ] || exit
    # On a file system that lets nothing run (noexec), -x is false for every file.
    chmod 700 "$partial" && [ -x "$partial" ] && mv -f "$partial" "$target"
  )
}

prepare() {
  cache=$1
  [ -d "$cache" ] || (umask 077 && mkdir -p "$cache") 2>/dev/null || return
  # Whoever owns the directory can run code as us.
  [ -O "$cache" ] && [ ! -L "$cache" ] && unpack_all
}

# Deno looks for ~/.npmrc, and gives up where it may not look: who has no home gets an absent one.
home=
if [ -n "${HOME-}" ] && [ -x "$HOME/" ]; then
  home=$HOME/.cache
else
  HOME=/nonexistent
  export HOME
fi
home=${XDG_CACHE_HOME:-$home}
temporary=${TMPDIR:-/tmp}
if ! { [ -n "$home" ] && prepare "$home/chat"; } && ! prepare "$temporary/chat-$(id -u)"; then
  echo "chat: Cannot unpack the program: ${home:-no home} and $temporary are full, or" \
    "let nothing run (XDG_CACHE_HOME may name another directory), or $self is damaged" >&2
  exit 1
fi

# The demo starts processes, but only more of this file; a client may be given a command to run. Making
# the cache of compiled code would cost memory that a client, which is left open all day, never gives back.
case ${1-} in
  demo) set -- --no-code-cache "--allow-run=$self" "$cache/$program/main.js" "$@" ;;
  client) set -- --no-code-cache --allow-run=sh "$cache/$program/main.js" "$@" ;;
  *) set -- "$cache/$program/main.js" "$@" ;;
esac

# The cache of compiled code belongs with the program, and nothing looks for news on the network.
DENO_DIR=$cache/deno DENO_NO_UPDATE_CHECK=1 CHAT_EXECUTABLE=$self
export DENO_DIR DENO_NO_UPDATE_CHECK CHAT_EXECUTABLE
# shellcheck disable=SC2086 # the flags are words
exec "$cache/$runtime/chat" run $flags "$@"
