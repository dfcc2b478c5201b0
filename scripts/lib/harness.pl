#!/usr/bin/perl
# harness.pl - runs test programs that print TAP and adds their assertions to a tally.
#
#     perl scripts/lib/harness.pl --tally FILE [--jobs N] [--timeout SECONDS] PROGRAM...
#
# A program is a .t (run by perl), a fuzz replay (OBJS/t/fuzz/NAME, which gets its corpus) or anything executable.  Each
# is bounded in time.  FILE gets a line "passed failed skipped"; a program that dies, times out or whose plan does not
# come out counts one failure more, a program skipped as a whole one skip.  Exit status 1 when anything failed.
use strict;
use warnings;
use Getopt::Long;
use TAP::Formatter::Console;
use TAP::Harness;

my ($tally, $jobs, $timeout) = (undef, 1, 120);
GetOptions('tally=s' => \$tally, 'jobs=i' => \$jobs, 'timeout=i' => \$timeout) && $tally && @ARGV
    or die "usage: harness.pl --tally FILE [--jobs N] [--timeout SECONDS] PROGRAM...\n";

sub command_of {
    my ($file) = @_;
    my @bounded = ('timeout', '-k', '5', $timeout);

    return [ @bounded, $^X, '-It/lib', $file ] if $file =~ /\.t\z/;
    return [ @bounded, $file, "t/fuzz/corpus/$1" ] if $file =~ m{/t/fuzz/([^/]+)\z};
    return [ @bounded, $file =~ m{/} ? $file : "./$file" ];
}

my %files_seen;
my @files = grep { !$files_seen{$_}++ } @ARGV;

my $harness = TAP::Harness->new({
    jobs     => $jobs,
    exec     => sub { command_of($_[1]) },
    merge    => 0,
    failures => 0,
    comments => 0,
});

my ($passed, $failed, $skipped) = (0, 0, 0);
my %words;    # what a program said beside its TAP; shown when it fails
$harness->callback(after_test => sub {
    my ($job, $parser) = @_;
    my $file       = $job->[0];
    my $file_fails = $parser->failed;
    my $file_skips = () = $parser->skipped;

    if (!$file_fails && ($parser->parse_errors || $parser->exit || $parser->wait)) {
        my $status = $parser->exit;
        printf "# %s: %s\n", $file, $status == 124 ? "no end after $timeout s" : $status ? "ended with $status"
            : join('; ', $parser->parse_errors);
        $file_fails = 1;
    }
    if (defined $parser->skip_all) {
        printf "# skipped: %s: %s\n", $file, $parser->skip_all;
        $file_skips++;
    }
    print @{ $words{$file} } if $file_fails && $words{$file};
    delete $words{$file};
    $passed  += $parser->passed - (() = $parser->skipped);
    $failed  += $file_fails;
    $skipped += $file_skips;
});
$harness->callback(made_parser => sub {
    my ($parser, $job) = @_;
    $parser->callback(test => sub {
        my ($test) = @_;
        my $what = $test->description ? $job->[0] . " " . $test->description : $job->[0];
        printf "# skipped: %s: %s\n", $what, $test->explanation if $test->has_skip;
        push @{ $words{$job->[0]} }, $test->raw . "\n" unless $test->is_ok;
    });
    $parser->callback($_ => sub { push @{ $words{$job->[0]} }, $_[0]->raw . "\n" }) for qw(comment unknown bailout);
});
$harness->runtests(@files);

open my $out, '>>', $tally or die "$tally: $!\n";
print $out "$passed $failed $skipped\n";
close $out or die "$tally: $!\n";
exit($failed ? 1 : 0);
