# Runs shell scripts that come over the serial line, one after the other. A script is what stands between the lines
# `#NUMBER` and `#end`; its output comes back as lines `@NUMBER TEXT`, and its exit code as `@NUMBER=CODE`.
use strict;
use warnings;

open(my $serial, '+<', '/dev/ttyAMA0') or die "ttyAMA0: $!";
system('stty -F /dev/ttyAMA0 raw -echo');
my $rest = '';

sub say_line {
    my $text = "$_[0]\n";
    while (length $text) {
        my $written = syswrite($serial, $text) or die "ttyAMA0: $!";
        substr($text, 0, $written, '');
    }
}

sub next_line {
    while ($rest !~ /\n/) {
        sysread($serial, $rest, 4096, length $rest) or die "ttyAMA0: $!";
    }
    $rest =~ s/^(.*)\n//;
    return $1;
}

say_line('@ready');
while (1) {
    my ($number) = next_line() =~ /^#(\d+)$/ or next;
    open(my $script, '>', '/run/agent.sh') or die "/run/agent.sh: $!";
    while ((my $line = next_line()) ne '#end') {
        print $script "$line\n";
    }
    close $script;
    open(my $output, '-|', 'exec /bin/sh /run/agent.sh 2>&1 </dev/null') or die "sh: $!";
    while (my $line = <$output>) {
        chomp $line;
        say_line("\@$number $line");
    }
    close $output;
    say_line("\@$number=" . ($? & 127 ? 128 + ($? & 127) : $? >> 8));
}
