# Sink by source: what clients and peers put into variables, captures, cookies and fields comes out of every place that writes a head without a line of its own.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w    = Weir::Test->new('no value puts a line end into a head')->needs_weir;
my $evil = 'a%0d%0aX-Evil:%20y';
my $origin = $w->origin(sub ($c) {
    my $r = $c->request;
    my ($say) = $r->target =~ /say=([^&]*)/;
    my $text = ($say // '') =~ s/%([0-9a-f]{2})/chr hex $1/gier =~ s/[\r\n\0]//gr;
    $c->reply(200, join("\n", map { "$_->[0]: $_->[1]" } $r->{fields}->@*), Location => "http://up/$text", Refresh => "1; url=http://up/$text", 'Set-Cookie' => "c=1; Domain=$text; Path=/$text", 'X-Up' => $text,
        $r->target =~ /accel/ ? ('X-Accel-Redirect' => "/text/$text") : ());
});
$w->allow_log(qr/cause: |pattern for the peer/);
$w->conf(<<"END");
    map \$arg_e \$mapped { default \$arg_e; }
    map \$uri \$taken { ~^/[^/]+/(?<rest>.*)\$ \$rest; }
    server {
        location /header { add_header X-H "\$uri \$arg_e \$mapped \$taken \$cookie_c \$http_x_a"; return 200 x; }
        location /trailer { add_trailer X-T "\$uri \$taken"; return 200 x; }
        location /expires { expires \$taken; return 200 x; }
        location /charset { charset \$taken; return 200 x; }
        location /return { return 302 /\$taken; }
        location /returnurl { return 302 http://a/\$taken?\$args; }
        location /rewrite { rewrite ^/rewrite/(.*) http://a/\$1?x=\$taken redirect; }
        location /set { set \$v \$taken; add_header X-V \$v; return 200 x; }
        location /auth { auth_request /sub; auth_request_set \$got \$upstream_http_x_up; add_header X-Got \$got; return 200 x; }
        location /authed { auth_request /sub; auth_request_set \$got2 \$upstream_http_x_up; add_header X-Got "\$got2 \$taken"; empty_gif; }
        location /sub { proxy_pass http://$origin/\$taken; }
        location /redirects { proxy_redirect http://up/ /\$taken/; proxy_cookie_domain ~(.+) \$taken; proxy_cookie_path ~(.+) "/\$1\$taken"; proxy_pass http://$origin; }
        location /default { proxy_pass http://$origin/; }
        location /up { proxy_set_header X-S "\$uri"; proxy_set_header X-T \$taken; proxy_pass http://$origin; }
        location /pass { proxy_pass http://$origin/\$taken; }
        location /body { proxy_set_body \$taken; proxy_pass http://$origin; }
        location /method { proxy_method \$taken; proxy_pass http://$origin; }
        location /accel { proxy_pass http://$origin; }
        location /text { add_header X-U \$uri; return 200 x; }
        location /page { error_page 404 =200 /text/\$taken; return 404; }
        location /out { error_page 404 http://a/\$taken; return 404; }
        location /file/ { root /nowhere/\$taken; }
        location /basic { auth_basic "who"; auth_basic_user_file /nowhere/\$taken; return 200 x; }
    }
END
my @places = qw(/header /trailer /expires /charset /return /returnurl /rewrite /set /auth /authed /redirects /default /up /pass /body /method /accel /text /page /out /file/ /basic);
my $n = 0;
for my $place (@places) {
    for my $source ("$place/$evil", "$place/x?e=$evil&say=$evil", "$place/%0aX-Evil:y", "$place/%0d", "$place/%20X-Evil:%20y?say=%0d%0aX-Evil:y") {
        my $before = $origin->requests;
        my $client = $w->client;
        my $answer = eval { $client->send("GET $source HTTP/1.1\r\nHost: localhost\r\nCookie: c=$evil\r\nX-A: $evil\r\nAuthorization: Basic YTpi\r\n\r\n")->read_response };
        $n++;
        my @wrong;
        push @wrong, "no one answer: $@" unless $answer;
        push @wrong, 'a field of theirs' if $answer && (defined $answer->header('X-Evil') || defined $answer->trailer('X-Evil'));
        push @wrong, 'one went upstream' if $answer && $answer->body =~ /^X-Evil/m;
        push @wrong, 'more than it should be went upstream' if $origin->requests - $before > 2;
        push @wrong, 'more was answered' if $answer && !$client->is_quiet(0.001) && length $client->buffered;
        fail "$source: @wrong" if @wrong;
        $client->close;
    }
}
cmp_ok $n, '==', 5 * @places, 'all were tried';
done_testing;
