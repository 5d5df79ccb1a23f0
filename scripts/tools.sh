# shellcheck shell=sh
# What scripts/build, scripts/test and scripts/quickstart share; sourced, with the working directory at the top of berry.

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() {
    printf '%s\n' "$*" >&2
}

# The installer of this system: apt where there is apt-get, for Debian packages pacman, too.
installer() {
    if command -v apt-get >/dev/null 2>&1 && [ -e /etc/debian_version ]; then
        echo apt
    elif command -v pacman >/dev/null 2>&1 && [ -e /etc/pacman.conf ]; then
        echo pacman
    elif command -v dnf >/dev/null 2>&1; then
        echo dnf
    fi
}

# missing_packages INSTALLER USE…: the packages whose program is not there, in one line.
missing_packages() {
    case "$1" in
        apt) column=3 ;;
        pacman) column=4 ;;
        *) column=5 ;;
    esac
    shift
    found=''
    while read -r use look_for apt pacman dnf; do
        case " $* " in
            *" $use "*) ;;
            *) continue ;;
        esac
        case "$look_for" in
            /*) [ ! -e "$look_for" ] || continue ;;
            *) ! command -v "$look_for" >/dev/null 2>&1 || continue ;;
        esac
        case "$column" in
            3) package=$apt ;;
            4) package=$pacman ;;
            *) package=$dnf ;;
        esac
        case " $found " in
            *" $package "*) ;;
            *) found="$found $package" ;;
        esac
    done <<EOF
$(grep -v -e '^#' -e '^$' scripts/packages)
EOF
    echo "${found# }"
}

# may_be_root: whether as_root can work without someone else's help.
may_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# need_packages USE…: installs what is missing, or names the command that an administrator has to run, and fails.
need_packages() {
    [ "$#" -gt 0 ] || return 0
    with=$(installer)
    packages=$(missing_packages "${with:-apt}" "$@")
    [ -n "$packages" ] || return 0
    if [ -z "$with" ]; then
        say "error: programs are missing, and neither apt-get nor pacman nor dnf is here to install them"
        say "hint: Debian's names of their packages: $packages"
        return 1
    fi
    case " $packages " in
        *' - '*)
            say "error: $with has no package for something that scripts/packages lists for $*: $packages"
            return 1
            ;;
    esac
    case "$with" in
        apt) command="apt-get install --yes --no-install-recommends $packages" ;;
        pacman) command="pacman --sync --refresh --needed --noconfirm $packages" ;;
        *) command="dnf install --assumeyes --setopt=install_weak_deps=False $packages" ;;
    esac
    if ! may_be_root; then
        say "error: packages are missing, and only an administrator can install them: $packages"
        if [ "$with" = apt ]; then command="apt-get update && $command"; fi
        say "hint: as root, run: $command"
        return 1
    fi
    say "installing $packages"
    if [ "$with" = apt ]; then as_root apt-get update --quiet=2 || return 1; fi
    # Split on purpose: a command line of plain words.
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive $command
}

# has_bun: whether a bun that is new enough is on the PATH, or in ./.bun, where need_everything puts one.
has_bun() {
    wanted=$(sed -n 's/.*"bun-types": "\([0-9.]*\)".*/\1/p' package.json)
    installed=$(bun --version 2>/dev/null || echo 0)
    oldest=$(printf '%s\n%s\n' "$wanted" "$installed" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)
    [ "$oldest" = "$wanted" ]
}

# need_everything USE…: the packages of these uses, bun (from npm into ./.bun unless it is there) and what bun.lock says.
need_everything() {
    PATH="$PWD/.bun/node_modules/.bin:$PATH"
    export PATH
    if has_bun; then
        need_packages "$@" || return 1
    else
        need_packages bun "$@" || return 1
        say "installing bun $wanted into .bun"
        npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix .bun "bun@$wanted" || return 1
        has_bun || {
            say "error: bun $wanted was installed into .bun and does not start"
            return 1
        }
    fi
    bun install --frozen-lockfile --silent
}
