# For random paths, one that is asked for and its normal form are decided alike, by prefixes, patterns, rewriting and files, and what goes upstream is what was matched.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w      = Weir::Test->new('what is decided is what is forwarded')->needs_weir;
my $origin = $w->origin(sub ($c) { my $r = $c->request; $c->reply(200, join ' ', $r->header('X-Rule'), $r->header('X-Seen'), $r->target) });
my $dir    = $w->dir;
mkdir "$dir/$_" or die $! for qw(html html/a html/admin);
$w->write_file("html/$_", "file $_") for qw(a/b b admin/b);
$w->allow_log(qr/cause: (?:file|client|route)\./);
my $rule = sub ($name) { "proxy_set_header X-Rule $name; proxy_set_header X-Seen \$uri; proxy_pass http://$origin;" };
$w->conf(<<"END", workers => 1);
    server {
        location / { @{[ $rule->('root') ]} }
        location /a/ { @{[ $rule->('a') ]} }
        location /admin { return 403 "admin"; }
        location ~ ^/b/.*x { @{[ $rule->('bx') ]} }
        location /r/ { rewrite ^/r/(.*) /a/\$1; @{[ $rule->('r') ]} }
        location /f/ { alias $dir/html/; }
        location /t/ { rewrite ^/t(/.*) \$1 break; root $dir/html; try_files \$uri =404; }
    }
END
my $seed = $ENV{WEIR_SEED} // time;
srand $seed;
my @pieces = ('a', 'b', 'admin', 'r', 'f', 't', 'x', '.', '..', '', '%61', '%2e', '%2E%2e', 'ADMIN', 'a%20b', '%41', 'x;y', '~', '%7e', '%2b', '+', '%c3%a9', '...', 'admi%6e');
my $client = $w->client;
my $ask = sub ($path) {
    my $answer = eval { $client->send("GET $path HTTP/1.1\r\nHost: a\r\n\r\n")->read_response };
    $client = $w->client unless $answer && $answer->is_kept;
    return $answer ? ($answer->status, $answer->body) : (0, '');
};
my ($asked, @wrong) = (0);
for (1 .. 1000) {
    my $path = join '', map { '/' . $pieces[ rand @pieces ] } 1 .. 1 + int rand 5;
    my ($status, $body) = $ask->($path);
    next if $status == 400;                                   # no single reading
    my @out;
    for my $segment (split m{/}, $path =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger, -1) {
        next if $segment eq '' || $segment eq '.';
        $segment eq '..' ? pop @out : push @out, $segment;
    }
    my $decoded = $path =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger;
    my $normal = '/' . join('/', @out) . (@out && $decoded =~ m{(?:/|/\.|/\.\.)$} ? '/' : '');
    my $wire = $normal =~ s/([^A-Za-z0-9\/._~;+!\$&'()*,=:\@-])/sprintf '%%%02X', ord $1/ger;
    my ($again, $body2) = $ask->($wire);
    $asked++;
    my ($how, $seen, $target) = split / /, $body =~ s/(a b)/a%20b/gr;
    push @wrong, "$path: $status, $wire: $again" if $status != $again;
    push @wrong, "$path: $body, $wire: $body2" if $status == 200 && $body =~ /^file/ && $body ne $body2;
    push @wrong, "$path is guarded but went on: $body" if $normal =~ m{^/admin} && $status == 200;
    push @wrong, "$path: matched $seen, forwarded $target" if $status == 200 && $body !~ /^file/ && $how ne 'r' && $target =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger ne $seen =~ s/%20/ /gr;
    last if @wrong > 5;
}
is_deeply \@wrong, [], "no difference (WEIR_SEED=$seed)";
cmp_ok $asked, ">", 250, 'many were asked for';
done_testing;
