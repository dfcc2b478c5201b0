# set_real_ip_from, real_ip_header, real_ip_recursive: whose word counts, which address of several, what follows from it (variables, allow and deny,
# limits, both logs), and that it ends with the request.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('real ip is told by trusted proxies');
$w->allow_log(qr/\[emerg\]/, qr/\[warn\]/, qr/\[error\]/);
$w->conf(<<"END", http => "log_format who '\$remote_addr \$realip_remote_addr \$uri';\naccess_log logs/access.log who;\n");
    limit_req_zone \$binary_remote_addr zone=by:1m rate=1r/m;
    server {
        set_real_ip_from 127.0.0.1;
        set_real_ip_from 10.0.0.0/8;
        set_real_ip_from 2001:db8::/32;
        location / { return 200 "\$remote_addr:\$remote_port \$realip_remote_addr"; }
        location /allowed { allow 192.0.2.7; deny all; proxy_pass http://127.0.0.1:%%PORT_in%%; }
        location /limited { limit_req zone=by; proxy_pass http://127.0.0.1:%%PORT_in%%; }
        location /other { set_real_ip_from 127.0.0.2; real_ip_header X-Client; proxy_pass http://127.0.0.1:%%PORT_in%%; proxy_set_header X-Seen \$remote_addr; }
    }
    server {
        listen 127.0.0.1:%%PORT_rec%%;
        set_real_ip_from 127.0.0.0/8; set_real_ip_from 10.0.0.0/8; set_real_ip_from 2001:db8::/32;
        real_ip_header X-Forwarded-For;
        real_ip_recursive on;
        return 200 "\$remote_addr";
    }
    server {
        listen 127.0.0.1:%%PORT_last%%;
        set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Forwarded-For;
        return 200 "\$remote_addr";
    }
    server { listen 127.0.0.1:%%PORT_nobody%%; set_real_ip_from 192.0.2.0/24; return 200 "\$remote_addr"; }
    server { listen 127.0.0.1:%%PORT_in%%; return 200 "in \$http_x_seen"; }
END
$w->start;
like $w->get('/')->body, qr/^127\.0\.0\.1:\d+ 127\.0\.0\.1$/, 'nothing told';
is $w->get('/', 'X-Real-IP', '192.0.2.7')->body, '192.0.2.7: 127.0.0.1', 'told, without a port';
is $w->get('/', 'X-Real-IP', '192.0.2.7:81')->body, '192.0.2.7:81 127.0.0.1', 'with a port';
is $w->get('/', 'X-Real-IP', '2001:db8::7')->body, '2001:db8::7: 127.0.0.1', 'IPv6';
is $w->get('/', 'X-Real-IP', '[2001:db8::7]:81')->body, '2001:db8::7:81 127.0.0.1', 'IPv6 with a port';
like $w->get('/', 'X-Real-IP', $_)->body, qr/^127\.0\.0\.1:\d+ /, "no address: $_" for 'unknown', '192.0.2', '192.0.2.7x', 'unix:/x', '_hidden';
like $w->client(from => '127.0.0.9')->get('/', 'X-Real-IP', '192.0.2.7')->body, qr/^127\.0\.0\.9:/, 'somebody who is not trusted';

my @lists = (
    # what is told, the last one, the last that is not trusted
    [ '192.0.2.1, 192.0.2.2', '192.0.2.2', '192.0.2.2' ], [ '192.0.2.1, 10.0.0.1, 10.0.0.2', '10.0.0.2', '192.0.2.1' ],
    [ '6.6.6.6,192.0.2.1 , 10.0.0.1', '10.0.0.1', '192.0.2.1' ], [ '10.0.0.1, 10.0.0.2', '10.0.0.2', '10.0.0.1' ],
    [ 'garbage, 10.0.0.2', '10.0.0.2', '10.0.0.2' ], [ '192.0.2.1, garbage', '127.0.0.1', '127.0.0.1' ],
    [ '192.0.2.1:1, [2001:db8::1]:2, 10.0.0.1:3', '10.0.0.1', '192.0.2.1' ], [ '192.0.2.1, ', '192.0.2.1', '192.0.2.1' ],
);
for my $case (@lists) {
    my ($told, $last, $rec) = @$case;
    is $w->client(port => 'last')->get('/', 'X-Forwarded-For', $told)->body, $last, "the last of \"$told\"";
    is $w->client(port => 'rec')->get('/', 'X-Forwarded-For', $told)->body, $rec, "the last that is not trusted of \"$told\"";
}
is $w->client(port => 'rec')->get('/', 'X-Forwarded-For', '192.0.2.1', 'X-Forwarded-For', '10.0.0.1')->body, '192.0.2.1', 'several lines are one list';
is $w->client(port => 'nobody')->get('/', 'X-Real-IP', '192.0.2.7')->body, '127.0.0.1', 'nobody who is connected is trusted';

is $w->get('/allowed', 'X-Real-IP', '192.0.2.7')->status, 200, 'allow and deny go by it';
is $w->get('/allowed')->status, 403, 'and by who is connected when nothing is told';
is join(' ', map { $w->get('/limited', 'X-Real-IP', "192.0.2.$_")->status } 1, 2, 1), '200 200 503', 'limits too';
my $client = $w->client;
is $client->get('/', 'X-Real-IP', '192.0.2.7')->body, '192.0.2.7: 127.0.0.1', 'the first request of a connection';
like $client->get('/')->body, qr/^127\.0\.0\.1:\d+ 127\.0\.0\.1$/, 'says nothing about the second';
is $w->client(from => '127.0.0.2')->get('/other', 'X-Client', '192.0.2.9', 'X-Real-IP', '6.6.6.6')->body, 'in 192.0.2.9', 'a location may trust others';
$w->wait_for_access(qr{^192\.0\.2\.7 127\.0\.0\.1 /$}m);
$w->wait_for_log(qr{client: 192\.0\.2\.1, });

unless ($w->is_nginx) {
    is $w->get('/', 'X-Real-IP', '2001:DB8::0007')->body, '2001:db8::7: 127.0.0.1', 'written as Weir writes addresses';
    my %bad = (
        'set_real_ip_from all;' => qr{0\.0\.0\.0/0}, 'set_real_ip_from 10.0.0.0/33;' => qr/an address, a network/, 'set_real_ip_from 10.0.0.1/8;' => undef,
        'real_ip_header "a b";' => qr/the name of a header field/, 'real_ip_recursive yes;' => qr/on/,
    );
    for my $text (sort keys %bad) {
        my ($code, $said) = $w->check_conf("$text server { return 200; }");
        is $code, defined $bad{$text} ? 1 : 0, "$text";
        like $said, $bad{$text} // qr/low address bits/, 'and says why';
    }
}

done_testing;
