# CR, LF, ESC, NUL, quotes, invalid UTF-8 and JSON breakers in every logged field.
use v5.36;
use lib 't/lib';
use JSON::PP ();
use Weir::Test;

my $w = Weir::Test->new('one record is one line');
$w->conf(<<'END', workers => 1);
    log_format j escape=json '{"ua":"$http_user_agent","uri":"$uri","args":"$args","ref":"$http_referer","req":"$request"}';
    access_log logs/access.log combined;
    access_log logs/json.log j;
    server { location / { return 200 ok; } }
END

my @evil = ("a\"b", 'a\\b', "a\xff\xfeb", "\xc3\x28", "\xe2\x82", "a\tb", '"} {"x":"', "\xf0\x9f\x98\x80", '%0d%0aX',
    '\\u0000', "'", '</script>');
for my $evil (@evil) {
    $w->client->send("GET /%0a%1b%22%5b%00?a=x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")->take_all;
    $w->client->send("GET /%0a%1b%22%7f%ff?q=\" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: $evil\r\nReferer: $evil\r\nConnection: close\r\n\r\n")->take_all;
}
$w->client->send("G\x1bT / \x00\r\n\r\n")->take_all;
$w->get('/last');
$w->wait_for_access(qr{/last}, $_) for 'access.log', 'json.log';
my @lines = split /\n/, $w->access_log('json.log');
my @broken = grep { !eval { JSON::PP->new->decode($_); 1 } } grep { length } @lines;
is_deeply \@broken, [], 'every JSON line is JSON';
is scalar @lines, 2 * @evil + 2, 'as many lines as requests';
is scalar(my @plain = split /\n/, $w->access_log), 2 * @evil + 2, 'in the plain log too';
unlike $w->access_log . $w->access_log('json.log'), qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control in them';
unlike $w->error_log, qr/[\x00-\x08\x0b-\x1f\x7f]/, 'nor in the error log';

done_testing;
