# geo: networks of both families, the smallest first; default, delete, include, proxy, ranges; another address than the client's.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('geo makes a variable from an address');
$w->allow_log(qr/\[emerg\]/, qr/\[warn\]/);
$w->write_file('conf/nets', "198.51.100.0/24 included;\n198.51.100.7 seven;\n");
my $most = $w->is_nginx ? '' : '255.255.255.255-255.255.255.255 most;';
$w->conf(<<"END");
    geo \$arg_a \$net {
        default none;
        10.0.0.0/8 ten;
        10.1.0.0/16 "ten one";
        10.1.2.3 host;
        10.1.2.0/23 wide;
        2001:db8::/32 doc;
        2001:db8:1::/48 "doc one";
        ::1 loop;
        255.255.255.255 odd;
        192.0.2.0/24 gone;
        delete 192.0.2.0/24;
        include nets;
    }
    geo \$who { 127.0.0.0/8 local; 127.0.0.9/32 nine; }
    geo \$behind { default other; proxy 127.0.0.1; proxy 10.0.0.0/8; 192.0.2.0/24 doc; 127.0.0.0/8 local; 10.0.0.0/8 ten; }
    geo \$deep { default other; proxy 127.0.0.1; proxy 10.0.0.0/8; proxy_recursive; 192.0.2.0/24 doc; 10.0.0.0/8 ten; }
    geo \$arg_a \$range {
        ranges;
        default none;
        10.0.0.0-10.0.0.255 first;
        10.0.1.0-10.0.1.255 second;
        10.0.0.100-10.0.0.199 middle;
        10.0.1.255-10.0.1.255 end;
        10.0.2.0-10.0.2.9 gone;
        delete 10.0.2.0-10.0.2.9;
        9.0.0.0-9.0.0.0 one;
        0.0.0.0-0.0.0.1 least;
        $most
    }
    geo \$arg_a \$all { 0.0.0.0/0 four; ::/0 six; }
    geo \$arg_a \$empty { 10.0.0.0/8 ten; }
    server {
        location / { return 200 "\$net"; }
        location /who { return 200 "\$who"; }
        location /behind { return 200 "\$behind \$deep"; }
        location /range { return 200 "\$range"; }
        location /all { return 200 "\$all"; }
        location /empty { return 200 "<\$empty>"; }
    }
END
my %net = ('10.9.9.9' => 'ten', '10.1.9.9' => 'ten one', '10.1.2.3' => 'host', '10.1.2.4' => 'wide', '10.1.3.255' => 'wide', '10.1.4.0' => 'ten one',
    '11.0.0.0' => 'none', '2001:db8::1' => 'doc', '2001:db8:1:2::3' => 'doc one', '2001:db9::' => 'none', '::1' => 'loop', '::2' => 'none',
    'nonsense' => 'odd', '' => 'odd', '192.0.2.1' => 'none', '198.51.100.8' => 'included', '198.51.100.7' => 'seven', '::ffff:10.1.2.3' => 'host');
is $w->get("/?a=$_")->body, $net{$_}, "network: $_" for sort keys %net;
is $w->get('/who')->body, 'local', 'the client';
is $w->client(from => '127.0.0.9')->get('/who')->body, 'nine', 'another';
is $w->get('/behind')->body, 'local other', 'behind no proxy';
is $w->get('/behind', 'X-Forwarded-For', '192.0.2.1')->body, 'doc doc', 'behind one';
is $w->get('/behind', 'X-Forwarded-For', '192.0.2.1, 10.0.0.1')->body, 'ten doc', 'behind two';
is $w->client(from => '127.0.0.9')->get('/behind', 'X-Forwarded-For', '192.0.2.1')->body, 'local other', 'what others say does not count';
my %range = ('10.0.0.0' => 'first', '10.0.0.99' => 'first', '10.0.0.100' => 'middle', '10.0.0.199' => 'middle', '10.0.0.200' => 'first', '10.0.0.255' => 'first',
    '10.0.1.0' => 'second', '10.0.1.254' => 'second', '10.0.1.255' => 'end', '10.0.2.0' => 'none', '9.0.0.0' => 'one', '9.0.0.1' => 'none',
    '0.0.0.1' => 'least', '0.0.0.2' => 'none', map { $_ => $w->is_nginx ? 'none' : 'most' } 'nonsense', '::1');
is $w->get("/range?a=$_")->body, $range{$_}, "range: $_" for sort keys %range;
is $w->get('/all?a=1.2.3.4')->body, 'four', 'all of IPv4';
is $w->get('/all?a=2001::')->body, 'six', 'all of IPv6';
is $w->get('/empty?a=1.2.3.4')->body, '<>', 'no default is empty';

unless ($w->is_nginx) {
    my %bad = (
        'geo $x { 10.0.0.0/33 a; }' => qr{invalid network "10\.0\.0\.0/33"}, 'geo $x { all a; }' => qr/invalid network "all"/, 'geo $x { 10.0.0.0/8; }' => qr/invalid number of the geo/,
        'geo $x { ranges; 10.0.0.2-10.0.0.1 a; }' => qr/invalid range/, 'geo $x { ranges; 10.0.0.1 a; }' => qr/invalid range/,
        'geo $x { ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.5-10.0.0.20 b; }' => qr/range "10\.0\.0\.5-10\.0\.0\.20" overlaps another/,
        'geo $x { ranges; 10.0.0.5-10.0.0.6 a; 10.0.0.0-10.0.0.20 b; }' => qr/overlaps another/,
        'geo $x { 10.0.0.0/8 a; ranges; }' => qr/"ranges" directive must be the first/, 'geo x { }' => qr/invalid variable name "x"/, 'geo $uri { }' => qr/built-in/,
        'geo $x { default a; default b; }' => qr/duplicate default/, 'geo $nothing $x { }' => qr/unknown "nothing" variable/, 'geo $x { proxy x/y; }' => qr/an address, a network/,
    );
    for my $text (sort keys %bad) {
        my ($code, $said) = $w->check_conf("$text server { return 200; }");
        is $code, 1, "refused: $text";
        like $said, $bad{$text}, 'and says why';
    }
    my ($code, $said) = $w->check_conf('geo $x { 10.0.0.1/8 a; 10.0.0.0/8 b; delete 11.0.0.0/8; } server { return 200; }');
    is $code, 0, 'only warned of';
    my ($code2, $said2) = $w->check_conf('geo $x { ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.0-10.0.0.9 b; delete 10.0.0.1-10.0.0.2; delete 0.0.0.0-0.0.0.0; } server { return 200; }');
    is $code2, 0, 'of ranges too' or diag $said2;
    like $said2, qr/duplicate range.*no address range "10\.0\.0\.1-10\.0\.0\.2" to delete.*no address range "0\.0\.0\.0-0\.0\.0\.0"/s, 'all of them';
    like $said, qr/low address bits.*duplicate network.*no network "11\.0\.0\.0\/8" to delete/s, 'all three';
}

done_testing;
