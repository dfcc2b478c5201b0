# `weir convert`, `weir -T --json`: text to JSON and back is the same text, for every configuration of the tree; what JSON says byte for byte; what
# it may not say.
use v5.36;
use lib 't/lib';
use JSON::PP;
use Weir::Test;

my $w = Weir::Test->new('JSON says what the text of a configuration says')->needs_weir;
my $convert = sub ($to, $file, @more) { $w->run('convert', '--to', $to, @more, $file) };

for my $file (grep { -f } glob 'conf/*.conf conf/examples/*.conf t/fuzz/corpus/conf_parse/* t/*/*.conf') {
    my ($code, $plain) = $w->run('fmt', $file);
    next if $code != 0;                        # (a corpus has texts that are none)
    ($code, my $json) = $convert->(json => $file);
    is $code, 0, "$file has a JSON" or next;
    my ($back, $text) = $convert->(conf => $w->write_file('made.json', $json));
    is $text, $plain, "$file is the same again";
}

my $conf = sub ($json, @more) { $convert->(conf => $w->write_file('in.json', $json), @more) };
my ($code, $said) = $conf->('[{"directive": "return", "args": ["200", "a;b{c}\"d\\\\e\n# f"]}]');
is $said, qq{return 200 'a;b{c}"d\\\\e\\n# f';\n} =~ s/\\\\e/\\e/r, 'nothing in a text ends the word';
is +($conf->('[{"directive": "a", "args": ["}", "\u0020", ""]}]'))[1], qq'a "}" " " "";\n', 'braces and blanks are quoted';
is +($conf->('[{"directive": "set", "args": [{"expression": "$a"}, {"expression": "x $b"}]}]'))[1], qq{set \$a "x \$b";\n}, 'variables are said to be some';
($code, $said) = $conf->('[{"directive": "a"}, {"directive": "b", "block": [{"directive": "return", "args": ["200", "costs 5$"]}]}]');
is $said, qq{a;\nb {\n    return 200 "costs 5\$"\$;\n}\n}, "a '\$' that begins no variable is marked behind the quote";
is +($convert->(json => $w->write_file('literal.conf', $said)))[1] =~ s/\s+//gr, '[{"directive":"a","args":[],"line":1},'
    . '{"directive":"b","args":[],"line":2,"block":[{"directive":"return","args":["200","costs5$"],"line":3}]}]', 'and read back';
is +($conf->('[{"directive": "a", "args": ["$b"]}]', '--variables'))[1], "a \$b;\n", 'with --variables it begins one';
for my $bad (['{"directive": "a"}', 'an array of directives'], ['[{"directive": "a", "arg": []}]', '/0/arg: there is no such member'],
             ['[{"directive": "a", "args": [1]}]', '/0/args/0: expected a text'], ['[{"args": []}]', '/0: expected "directive"'],
             ['[{"directive": "a", "args": ["x\u0000y"]}]', 'no byte 0'], ['[{"directive": "#", "comment": "a\nb"}]', 'a comment is one line'],
             ['[{"directive": "a", "directive": "b"}]', 'two members of one name'], ['[{', 'no JSON']) {
    ($code, $said) = $conf->($bad->[0]);
    is $code, 1, "$bad->[0] is an error";
    like $said, qr/\Q$bad->[1]\E/, 'that says what was expected';
}

$w->write_file('conf/more.conf', "server { listen 127.0.0.1:80; }\n");
$w->write_file('conf/main.conf', "error_log stderr;\npid weir.pid;\nevents { }\nhttp { include more.conf; }\n");
($code, $said) = $w->run('-p', $w->dir, '-e', 'stderr', '-c', 'conf/main.conf', '-q', '-T', '--json');
is $code, 0, '-T --json tells the whole configuration';
my $all = JSON::PP->new->decode($said);
is join(' ', map { $_->{file} =~ s{.*/}{}r } @$all), 'main.conf more.conf', 'a file each';
is $all->[1]{parsed}[0]{block}[0]{args}[0], '127.0.0.1:80', 'with its directives';
is +($w->run('-t', '--json'))[0], 1, '--json goes with -T only';
done_testing;
