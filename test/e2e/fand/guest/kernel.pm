# What the kernel and the registers of the emulated Pi say of a fan; nothing of it comes from berry.
package kernel;
use strict;
use warnings;

# Monotonic, in seconds.
sub now {
    my $time = "\0" x 16;
    syscall(113, 1, $time);    # clock_gettime of arm64
    my ($seconds, $nanoseconds) = unpack('qq', $time);
    return $seconds + $nanoseconds / 1e9;
}

sub nap { select(undef, undef, undef, $_[0]) }

# The GPIO registers (BCM2837 ARM Peripherals, 6.1), by /dev/mem: function select and level.
open(my $memory, '<', '/dev/mem') or die "/dev/mem: $!";
my $registers = syscall(222, 0, 4096, 1, 1, fileno($memory), 0x3f200000);    # mmap of arm64, read-only, shared
die "/dev/mem: $!" if $registers == -1;

sub register { return unpack('V', unpack('P4', pack('Q', $registers + $_[0]))) }

# 0: input, 1: output, 4 and above, 2 and 3: an alternative function.
sub function {
    my ($pin) = @_;
    return (register(4 * int($pin / 10)) >> (3 * ($pin % 10))) & 7;
}

sub level {
    my ($pin) = @_;
    return (register(0x34) >> $pin) & 1;
}

open(my $channels, '<', '/sys/kernel/debug/pwm') or die "debug/pwm: $!";

# Duty in percent of a PWM channel, as the PWM core knows it; 0 where it is not enabled.
sub channel {
    my ($number) = @_;
    sysseek($channels, 0, 0);
    my $text = '';
    while (sysread($channels, $text, 4096, length $text)) { }
    my ($line) = $text =~ /^\s*pwm-$number\s(.*)$/m or return -1;
    my ($period, $duty) = $line =~ /period: (\d+) ns duty: (\d+) ns/ or return -1;
    # the driver of fans counts to the period less one
    return $line =~ /\benabled\b/ && $period ? 100 * $duty / ($period - 1) : 0;
}

# Percent of full speed: `pwm CHANNEL` or `gpio PIN`. A pin that is no output drives nothing.
sub speed {
    my ($kind, $number) = @_;
    return channel($number) if $kind eq 'pwm';
    return function($number) == 1 && level($number) ? 100 : 0;
}

1;
