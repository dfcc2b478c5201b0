use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('seventy peers are tried in turn');
my @dead = map { $w->refused_peer } 1 .. 69;
my $good = $w->origin(sub ($c) { $c->reply(200, 'found') });
my $servers = join ' ', map { "server $_;" } @dead;
$w->conf(<<"END", workers => 1);
    log_format n '\$request_uri \$upstream_addr';
    access_log logs/n.log n;
    upstream api  { $servers server $good; }
    upstream none { $servers }
    server { location / { proxy_pass http://api; } location /none { proxy_pass http://none; } }
END

is $w->get('/')->body, 'found', 'the seventieth';
is scalar(my @asked = split /, /, $w->wait_for_access(qr{^/ (.*)}m, 'n.log')), 70, 'after all the others';
is $w->get('/')->body, 'found', 'and now at once';
is $w->get('/none')->status, 502, 'nobody there';
is $w->get('/none')->status, 502, 'nobody to be asked';
is $good->requests, 2, 'the good one saw two';

done_testing;
