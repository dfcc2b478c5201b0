use v5.36;
use lib 't/lib';
use Weir::Test;

# Texts that stand in tests, whatever they mean, and the files of conf/: text, JSON and text again are the same tree.
my $w = Weir::Test->new('every configuration of the tests says the same in JSON')->needs_weir;
my (%texts, $n);
for my $file (glob 't/*/*.t') {
    my $test = Weir::Server::slurp($file);
    while ($test =~ /<<~?(?<quote>["']?)(?<end>\w+)\g{quote}[^\n]*\n(?<text>.*?)\n\s*\g{end}\n/gs) {
        my ($text, $is_plain) = ($+{text}, $+{quote} eq "'");
        next if $text !~ /[;{]/;
        $text =~ s/\\([\$\@\\])/$1/g if !$is_plain;
        $texts{sprintf '%s, text %d', $file, ++$n} = "$text\n";
    }
}
$texts{$_} = Weir::Server::slurp($_) for grep { -f } glob 'conf/* conf/*/*';

my ($all, $trees) = ('', 0);
for my $name (sort keys %texts) {
    my ($code, $plain) = $w->run('fmt', $w->write_file('text.conf', $texts{$name}));
    next if $code != 0;                        # (it is none: Perl, C, a log)
    $all .= $plain;
    $trees++;
}
cmp_ok $trees, '>', 300, "$trees configurations of " . keys(%texts) . ' texts';
my ($code, $json) = $w->run('convert', '--to', 'json', $w->write_file('all.conf', $all));
is $code, 0, 'they have a JSON';
($code, my $text) = $w->run('convert', '--to', 'conf', $w->write_file('all.json', $json));
is $code, 0, 'that has a text';
($code, my $again) = $w->run('convert', '--to', 'json', $w->write_file('again.conf', $text));
is $code, 0, 'that has a JSON';
my ($was, $is) = map { [ split /\n/, s/, "line": \d+//gr ] } $json, $again;      # (a word may go over several lines, or have \n)
is scalar @$is, scalar @$was, 'of as many directives';
my ($line) = grep { ($was->[$_] // '') ne ($is->[$_] // '') } 0 .. $#$was;
ok !defined $line, 'which is the same';
is $is->[$line], $was->[$line], 'line ' . ($line + 1) if defined $line;
done_testing;
