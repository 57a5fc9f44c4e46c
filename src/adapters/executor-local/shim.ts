/**
 * The process between us and a step: POSIX sh, builtins only, so that it costs about a millisecond and needs nothing installed.
 *
 * Arguments: attempt folder, host id, working directory, then the command. It claims the attempt with noclobber (so two starts
 * run once), notes who it is (`host boot pid start-time`), runs the command and writes `exit N` with the newline last, which is
 * how a reader knows that the line is whole. It outlives TERM to the group so that the exit code is written.
 */
export const SHIM = `
d=$1; h=$2; w=$3; shift 3
b=- s=-
{ read -r b < /proc/sys/kernel/random/boot_id; } 2>/dev/null
{ read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ s _ < /proc/$$/stat; } 2>/dev/null
set -C
{ printf '%s %s %s %s\\n' "$h" "$b" "$$" "$s" > "$d/claim"; } 2>/dev/null || exit 0
trap : TERM INT HUP
cd "$w" || { printf 'exit 127\\n' > "$d/exit"; exit 0; }
"$@" < /dev/null
printf 'exit %s\\n' "$?" > "$d/exit"
`;
