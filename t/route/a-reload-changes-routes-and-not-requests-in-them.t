# A request under way keeps the route that took it, its name and its captures, while the next one finds the new table.
use v5.36;
use lib 't/lib';
use Weir::Test;

my $w = Weir::Test->new('a reload changes routes and not requests in them')->needs_weir;
my $o = $w->origin(sub ($c) {
    $c->wait_for('go');
    $c->reply(200, join ' ', $c->request->target, $c->request->header('X-Route'));
});
sub table ($name, $path, $more = '') {
    return <<"END";
    server {
        route $name { match path_template=$path; proxy_pass http://$o; proxy_set_header X-Route \$route;
            add_header X-After "\$route \$route_id"; }
        $more
        location / { return 200 "location"; }
    }
END
}
$w->conf(table('old', '/users/{id}', 'route many { match path_prefix=/; return 200 many; }'));
my $slow = $w->client->send_request('GET', '/users/7');
$o->wait_requests(1);
$w->conf(table('new', '/people/{id}'));
$w->reload;
my $next = $w->client->send_request('GET', '/people/8');
$o->wait_requests(2);
is $w->get('/users/7')->body, 'location', 'the new table does not know the old path';
$w->pass('go');
my $answer = $slow->read_response;
is $answer->body, '/users/7 old', 'a request under way ends in its route';
is $answer->header('X-After'), 'old 7', '… and knows it to the end';
is $next->read_response->header('X-After'), 'new 8', 'the next one is in the new one';
done_testing;
