# Marks in a request that turn the direction of a line, or end it to some, are shown escaped by `weir explain`, as controls are.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('explain shows no mark that turns or breaks a line')->needs_weir;
$w->write_file('x.conf', "events {} http { server { listen 127.0.0.1:9; location / { return 200; } } }\n");
my %marks = ('ALM' => "\xd8\x9c", 'LRM' => "\xe2\x80\x8e", 'RLO' => "\xe2\x80\xae", 'RLI' => "\xe2\x81\xa7", 'LINE SEPARATOR' => "\xe2\x80\xa8", 'PARAGRAPH SEPARATOR' => "\xe2\x80\xa9", 'CSI' => "\xc2\x9b");
for my $name (sort keys %marks) {
    my ($code, $said) = $w->run('-c', $w->dir . '/x.conf', 'explain', "http://127.0.0.1:9/a$marks{$name}b");
    my $shown = join '', map { sprintf '\\x%02x', ord } split //, $marks{$name};
    like $said, qr{/a\Q$shown\Eb}, $name;
    is index($said, $marks{$name}), -1, "$name: not raw";
}
my ($code, $said) = $w->run('-c', $w->dir . '/x.conf', 'explain', "http://127.0.0.1:9/\xc3\xa4\xd8\xa7\xe2\x82\xac");
like $said, qr{/\xc3\xa4\xd8\xa7\xe2\x82\xac}, 'letters are as they are';
done_testing;
