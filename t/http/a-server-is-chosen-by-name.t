# nginx's order: exact, longest leading wildcard, longest trailing wildcard, first regex, default.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a server is chosen by name');
$w->conf(<<'END');
    server { server_name first.example; return 200 first; }
    server { server_name exact.example www.exact.example; return 200 exact; }
    server { server_name *.example; return 200 leading; }
    server { server_name *.sub.example; return 200 longer; }
    server { server_name mail.*; return 200 trailing; }
    server { server_name mail.sub.*; return 200 longer-trailing; }
    server { server_name .dot.test; return 200 dot; }
    server { server_name ~^(?<who>\w+)\d\.regex\.test$; return 200 "regex $who"; }
    server { server_name ~regex; return 200 later-regex; }
    server { server_name ""; return 200 nameless; }
END

my %want = (
    'first.example' => 'first', 'exact.example' => 'exact', 'WWW.Exact.EXAMPLE' => 'exact',
    'exact.example:8080' => 'exact', 'exact.example.' => 'exact',
    'other.example' => 'leading', 'a.b.example' => 'leading', 'x.sub.example' => 'longer', 'mail.test' => 'trailing',
    'mail.sub.test' => 'longer-trailing', 'mail.example' => 'leading',
    'dot.test' => 'dot', 'a.dot.test' => 'dot', 'a.b.dot.test' => 'dot', 'xdot.test' => 'first',
    'joe7.regex.test' => 'regex joe', 'x.regex.test' => 'later-regex', 'unknown.test' => 'first',
    '127.0.0.1' => 'first', '[::1]' => 'first', 'example' => 'first', 'mail' => 'first',
);
for my $host (sort keys %want) {
    is $w->request('GET', '/', host => $host)->body, $want{$host}, $host;
}
is $w->client->send("GET / HTTP/1.0\r\n\r\n")->read_response->body, 'nameless', 'no Host';

done_testing;
