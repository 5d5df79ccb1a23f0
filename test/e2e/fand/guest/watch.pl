# watch.pl KIND NUMBER SPEED SECONDS: waits until a fan runs at SPEED percent, or as `full`, and says for how long it did.
use strict;
use warnings;
use lib '/usr/lib/berry-test';
use kernel;

my ($kind, $number, $wanted, $patience) = @ARGV;
my $begin = kernel::now();
my $speed;
do {
    $speed = kernel::speed($kind, $number);
    if (abs($speed - $wanted) < 1) {
        printf "%.1f ms\n", 1000 * (kernel::now() - $begin);
        exit 0;
    }
    kernel::nap(0.01);
} while kernel::now() - $begin < $patience;
print "$kind $number runs at $speed %, not at $wanted %\n";
exit 1;
