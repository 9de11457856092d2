//! The lines of a script that are always the same: how it looks at the registry, before and after.

/// How it is told whether the registry is as it was seen. What a script has done before is fine, so that
/// a second run finishes the work.
pub(super) const GUARD: &str = r#"
# The registry may have changed since it was seen: it is looked at first, and this lists what differs.
other=
renewed=
anew=
sum=
if command -v sha1sum >/dev/null 2>&1; then
    sum=sha1sum
elif command -v openssl >/dev/null 2>&1; then
    sum='openssl dgst -sha1 -r'
fi

is_stored() {
    [ -e "$units/$name" ] && [ "$(cat "$folder/is" && echo .)" = "$(cat "$units/$name" && echo .)" ]
}

is_as_seen() {
    [ "$before" != none ] || return 1
    [ -n "$sum" ] || return 0
    hash=$($sum <"$folder/is")
    [ "${hash%% *}" = "$before" ]
}

seen() {
    before=$1
    shift
    if look "$@"; then
        is_stored || {
            is_as_seen || other="$other $name"
            [ "$before" = none ] || [ ! -e "$units/$name" ] || renewed="$renewed ./$name"
        }
    elif [ "$before" != none ] && [ -e "$units/$name" ] && [ -z "$anew" ]; then
        other="$other $name"
    fi
}
"#;

/// How it is told whether fleet was told to do anything with a unit since it was seen. Only the legend
/// tells a list of no units from a fleetctl that did not understand what it was asked for.
pub(super) const TOLD: &str = r#"
# What was told to load or run meanwhile is not destroyed.
told=
idle() {
    state=$(printf '%s\n' "$told" | while read -r unit state; do
        [ "$unit" != "$1" ] || printf '%s' "$state"
    done)
    [ -z "$state" ] || [ "$state" = inactive ] || other="$other $1"
}
"#;

/// What stands where the registry is not looked at first.
pub(super) const UNSEEN: &str =
    "# Nobody has seen the registry: what is there is replaced, whatever it is.\n";

/// What stands where it is.
pub(super) const SEEN: &str =
    "# Where something is not as it was seen, nothing is changed, and it ends with status 5.\n";

/// How a unit is compared with what fleet has of it. The mark keeps line breaks at the end.
pub(super) const READING_BACK: &str = r#"
# fleetctl ends well where it did nothing: what is stored is read back, and this lists what differs.
wrong=
status=0
stored() {
    is=$("$@" </dev/null && echo .) || is=
    [ "$is" = "$(cat "$units/$name" && echo .)" ] || wrong="$wrong $name"
}
"#;
