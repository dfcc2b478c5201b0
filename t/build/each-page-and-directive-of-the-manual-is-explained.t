# What `weir -M` prints: each page begins with an introduction and an example; each directive that takes more than on or off, a size, a time or a
# level has words beside its line of help.  (Whether they are about something is asked by t/unit/conf/manual.c, whether examples are right by
# t/conf/every-example-of-the-manual-answers-as-it-says.t.)
use v5.36;
use Test::More;

my $weir = $ENV{WEIR_BIN} // 'objs/weir';
my $said = `$weir -M 2>&1 >/dev/null`;
is $?, 0, 'the manual is printed';
is $said, '', 'nothing is complained of';

my (%page, %directive, $page, $directive, $module, $part, $in_code);
for my $line (split /\n/, `$weir -M`) {
    $in_code = !$in_code if $line =~ /^```/;
    if (!$in_code && $line =~ /^# (.+)/) {
        ($page, $directive, $part) = ($1, undef, 'page');
    } elsif (!$in_code && $line =~ /^## Module (\S+)/) {
        ($module, $directive, $part) = ($1, undef, 'module');
    } elsif (!$in_code && $line =~ /^### (\S+)/) {
        ($directive, $part) = ("$module: $1", 'help');
        $directive = undef if $1 eq 'Variables';
    } elsif ($part eq 'page') {
        $page{$page}{intro}++ if !$in_code && $line =~ /^[A-Z`]/;
        $page{$page}{example}++ if $line eq '```nginx';
        $page{$page}{console}++ if $line eq '```console';
    } elsif (defined $directive && $line =~ /^- Syntax: `(.*)`$/) {
        ($directive{$directive}{syntax}, $part) = ($1, 'row');
    } elsif (defined $directive && $part eq 'row' && $line =~ /^[^-\s]|^- (?!Syntax|Default|Context|Limits|Inherited)/) {
        $directive{$directive}{words}++;
    }
}

for my $part (qw(intro example console)) {
    is_deeply [ sort grep { !$page{$_}{$part} } keys %page ], [], "each page has: $part";
}
my $obvious = qr/^\w+(?: (?:on \| off|size|time|info \| notice \| warn \| error))?;$/;
my @mute = sort grep { $directive{$_}{syntax} !~ $obvious && !$directive{$_}{words} } keys %directive;
is_deeply \@mute, [], 'each directive that needs words has them' or diag "without: @mute";
note sprintf '%d of %d directives have words', scalar(grep { $_->{words} } values %directive), scalar keys %directive;
done_testing;
