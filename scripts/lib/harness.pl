#!/usr/bin/perl
# harness.pl - runs test programs that print TAP and adds their assertions to a tally.
#
#     perl scripts/lib/harness.pl --tally FILE [--failures FILE] [--jobs N] [--timeout SECONDS] PROGRAM...
#
# A program is a .t (run by perl), a fuzz replay (OBJS/t/fuzz/NAME, which gets its corpus) or anything executable.  Each
# is bounded in time.  FILE gets a line "passed failed skipped"; a program that dies, times out or whose plan does not
# come out counts one failure more, a program skipped as a whole one skip.  Exit status 1 when anything failed.  What
# a program writes to its standard error is printed when the program has ended.  What a failed program said is printed, and
# is appended to the file of failures.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Getopt::Long;
use TAP::Formatter::Console;
use TAP::Harness;

my ($tally, $failures, $jobs, $timeout) = (undef, undef, 1, 120);
GetOptions('tally=s' => \$tally, 'failures=s' => \$failures, 'jobs=i' => \$jobs, 'timeout=i' => \$timeout) && $tally && @ARGV
    or die "usage: harness.pl --tally FILE [--failures FILE] [--jobs N] [--timeout SECONDS] PROGRAM...\n";

my $errors = tempdir(CLEANUP => 1);
my %errors_of;    # program => the file that has its standard error

sub command_of {
    my ($file) = @_;
    my $to = $errors_of{$file} = sprintf '%s/%d', $errors, scalar keys %errors_of;
    my @bounded = ('sh', '-c', 'exec 2> "$0" "$@"', $to, 'timeout', '-k', '5', $timeout);

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

# What a program wrote to its standard error, at most the last 64 KiB of it.
sub errors_of {
    my ($file) = @_;
    my $from = $errors_of{$file} // return '';
    open my $in, '<', $from or return '';
    my $size = -s $in // 0;
    seek $in, $size - 65536, 0 if $size > 65536;
    local $/;
    my $text = <$in> // '';
    $text .= "\n" if length $text && $text !~ /\n\z/;
    unlink $from;
    return $text;
}

sub note_failure {
    my ($file, $text) = @_;
    return unless defined $failures;
    open my $out, '>>', $failures or die "$failures: $!\n";
    my @lines = split /^/, $text;
    splice @lines, 0, @lines - 40, "(…)\n" if @lines > 40;
    print $out "-- $file\n", map { "#   $_" } @lines;
    close $out or die "$failures: $!\n";
}

my ($passed, $failed, $skipped) = (0, 0, 0);
my %words;    # what a program said beside its TAP; shown when it fails
$harness->callback(after_test => sub {
    my ($job, $parser) = @_;
    my $file       = $job->[0];
    my $file_fails = $parser->failed;
    my $file_skips = () = $parser->skipped;

    my $errors     = errors_of($file);
    my $end        = '';

    if (!$file_fails && ($parser->parse_errors || $parser->exit || $parser->wait)) {
        my $status = $parser->exit;
        $end = sprintf "# %s: %s\n", $file, $status == 124 ? "no end after $timeout s" : $status ? "ended with $status"
            : join('; ', $parser->parse_errors);
        $file_fails = 1;
    }
    print $end, $errors;
    if (defined $parser->skip_all) {
        printf "# skipped: %s: %s\n", $file, $parser->skip_all;
        $file_skips++;
    }
    if ($file_fails) {
        my $words = join '', @{ $words{$file} // [] };
        print $words;
        note_failure($file, $end . $words . $errors);
    }
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
