# Kills daemons, and measures how long it takes until the kernel says that the fan runs at full speed.
# Lines of `UNIT KIND NUMBER DEATH` on standard input, which is the unit, its fan and the way to die; for each of them a
# line `UNIT DEATH BEFORE MILLISECONDS`, where BEFORE is the speed at the moment of death, or `UNIT DEATH failed WHY`.
use strict;
use warnings;
use lib '/usr/lib/berry-test';
use kernel;

my $groups = '/sys/fs/cgroup/system.slice';
# of what the test adds to the daemon
my %injected = (throw => 'USR1', reject => 'USR2', 'busy loop' => 'WINCH');

sub pids {
    my ($unit) = @_;
    open(my $file, '<', "$groups/$unit.service/cgroup.procs") or return ();
    chomp(my @pids = <$file>);
    return @pids;
}

sub inject {
    my ($unit, $pid, $death) = @_;
    if ($death eq 'systemctl stop') {
        # it waits for the end of the unit: it is not waited for
        my $child = fork() // die "fork: $!";
        exec('systemctl', 'stop', "$unit.service") or die if $child == 0;
        return 1;
    }
    if ($death eq 'out of memory') {
        my $deadline = kernel::now() + 30;
        open(my $file, '>', "$groups/$unit.service/memory.max") or return 0;
        return 0 if !syswrite($file, "2M\n");
        # a machine that has killed has memory again: the script of the unit lives in the same group
        while (kill(0, $pid) && kernel::now() < $deadline) { kernel::nap(0.001) }
        return syswrite($file, "max\n");
    }
    my $signal = $injected{$death} // $death =~ s/^SIG//r;
    return kill($signal, $pid);
}

sub settled {
    my ($unit, $kind, $number) = @_;
    my $begin = kernel::now();
    while (kernel::now() - $begin < 60) {
        my @pids = pids($unit);
        return $pids[0] if @pids == 1 && kernel::speed($kind, $number) < 99;
        kernel::nap(0.05);
    }
    return undef;
}

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($unit, $kind, $number, $death) = split /\s+/, $line, 4;
    my $pid = settled($unit, $kind, $number);
    if (!defined $pid) {
        print "$unit\t$death\tfailed\tit did not settle\n";
        next;
    }
    my $before = kernel::speed($kind, $number);
    my $begin = kernel::now();
    if (!inject($unit, $pid, $death)) {
        print "$unit\t$death\tfailed\t$!\n";
        next;
    }
    my $elapsed = 0;
    while (kernel::speed($kind, $number) < 99.9 && $elapsed < 30) {
        kernel::nap(0.001);
        $elapsed = kernel::now() - $begin;
    }
    $elapsed = kernel::now() - $begin;
    # it was the daemon that died, not the fan that was asked for
    while (kill(0, $pid) && kernel::now() - $begin < 40) { kernel::nap(0.01) }
    my $dead = kill(0, $pid) ? 'lives' : 'dead';
    printf "%s\t%s\t%.0f\t%.1f\t%s\n", $unit, $death, $before, 1000 * $elapsed, $dead;
    if ($death eq 'systemctl stop') {
        wait;
        system('systemctl', 'start', '--no-block', "$unit.service");
    }
    # one after the other: the next one dies on a machine that has nothing else to do
    settled($unit, $kind, $number);
}
