#!/bin/sh
# Full speed for every fan that berry fand has taken, whatever became of it: systemd runs this when the daemon has
# ended (ExecStopPost). It reads the note of what full speed means for each: lines of `try VALUE PATH`, which may fail,
# `write VALUE PATH`, which may not, and `gpio CHIP LINE high|low`; `# end` is the last one. Without a note, where a line
# of it is not understood or its end is missing, and where one of its fans cannot be raised, every fan output that the
# kernel knows goes to full speed as well. Nothing is disabled, unexported or removed, and no line ends this script.
# With the argument `noted`, before the daemon starts (ExecStartPre), nothing but the note counts: a fan that nobody
# asked berry for stays as it is.
set -u
only=${1:-}
root=${BERRY_ROOT:-}
note=${BERRY_FAND_NOTE:-$root/run/berry/outputs}
raised=0
failed=0
damaged=no

# The shell's own complaint of a redirection goes to /dev/null as well; nothing is created.
put() {
	[ -f "$2" ] && { printf '%s\n' "$1" >"$2"; } 2>/dev/null
}

number() {
	number=
	{ read -r number <"$1"; } 2>/dev/null
	printf '%s' "$number"
}

# Digits alone: arithmetic ends a shell that finds something else, and takes what begins with 0 for octal.
is_number() {
	case $1 in
	'' | *[!0-9]* | 0?* | ????????????????*) return 1 ;;
	esac
}

# Nothing but attributes of the kernel.
is_attribute() {
	case $1 in
	*/../*) return 1 ;;
	"$root"/sys/?*) ;;
	*) return 1 ;;
	esac
}

# A GPIO that is an output of nobody's: by sysfs, which keeps it, else by the tools that there are.
gpio() {
	for chip in "$root"/sys/class/gpio/gpiochip*; do
		[ "$(number "$chip/label")" = "$1" ] || continue
		base=$(number "$chip/base")
		is_number "$base" || continue
		line=$((base + $2))
		put "$line" "$root/sys/class/gpio/export" || true
		put "$3" "$root/sys/class/gpio/gpio$line/direction" && return 0
	done
	case $3 in
	high) level=dh bit=1 ;;
	*) level=dl bit=0 ;;
	esac
	for tool in pinctrl raspi-gpio; do
		command -v "$tool" >/dev/null 2>&1 && "$tool" set "$2" op "$level" 2>/dev/null && return 0
	done
	for device in "$root"/sys/bus/gpio/devices/gpiochip*; do
		command -v gpioset >/dev/null 2>&1 || break
		[ -e "$device" ] && gpioset --daemonize --chip "${device##*/}" "$2=$bit" 2>/dev/null && return 0
		break
	done
	return 1
}

raise_noted() {
	damaged=yes
	is_strange=no
	verb=
	while read -r verb first second third; do
		damaged=yes
		case $verb in
		try | write)
			if ! is_number "$first" || ! is_attribute "$second" || [ -n "$third" ]; then
				is_strange=yes
			elif put "$first" "$second"; then
				[ "$verb" = try ] || raised=$((raised + 1))
			else
				[ "$verb" = try ] || failed=$((failed + 1))
			fi
			;;
		gpio)
			if ! is_number "$second" || { [ "$third" != high ] && [ "$third" != low ]; }; then
				is_strange=yes
			elif gpio "$first" "$second" "$third"; then
				raised=$((raised + 1))
			else
				failed=$((failed + 1))
			fi
			;;
		'#') [ "$first $second" != 'end ' ] || damaged=no ;;
		*) is_strange=yes ;;
		esac
	done <"$note"
	# what is left is a line without an end
	[ "$is_strange" = no ] && [ -z "$verb" ] || damaged=yes
}

raise_everything() {
	for pwm in "$root"/sys/class/hwmon/hwmon*/pwm[0-9] "$root"/sys/class/hwmon/hwmon*/pwm[0-9][0-9]; do
		[ -e "$pwm" ] || continue
		[ -e "${pwm}_enable" ] && put 1 "${pwm}_enable"
		if put 255 "$pwm"; then raised=$((raised + 1)); else failed=$((failed + 1)); fi
	done
	for pwm in "$root"/sys/class/pwm/pwmchip*/pwm[0-9] "$root"/sys/class/pwm/pwmchip*/pwm[0-9][0-9]; do
		period=$(number "$pwm/period")
		[ "${period:-0}" -gt 0 ] 2>/dev/null || continue
		full=$period
		[ "$(number "$pwm/polarity")" = inversed ] && full=0
		if put "$full" "$pwm/duty_cycle" && put 1 "$pwm/enable"; then
			raised=$((raised + 1))
		else
			failed=$((failed + 1))
		fi
	done
}

first=
# a FIFO would never be read to its end
[ -f "$note" ] && { read -r first <"$note"; } 2>/dev/null
case $first in
'# '*) has_note=yes ;;
*) has_note=no ;;
esac
if [ "$has_note" = yes ]; then
	raise_noted
	[ "$only" != noted ] || exit 0
	# whoever drives nothing has a note of nothing
	[ "$damaged" = yes ] || [ "$failed" -gt 0 ] || exit 0
	raise_everything
elif [ "$only" = noted ]; then
	exit 0
else
	raise_everything
fi
if [ "$damaged" = yes ]; then
	echo "berry-fand-failsafe: $note is damaged: every fan output that the kernel knows was raised" >&2
fi
if [ "$failed" -gt 0 ]; then
	echo "berry-fand-failsafe: $failed outputs could not be raised" >&2
fi
[ "$damaged" = no ] && [ "$failed" -eq 0 ] || exit 1
[ "$raised" -gt 0 ] || echo "berry-fand-failsafe: there is no fan to raise" >&2
