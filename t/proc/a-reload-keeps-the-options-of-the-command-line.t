# A master that was begun with -g (and -c, -p, -e in any form) can be reloaded: what was typed is kept where no process title is written over it.
use v5.36;
use lib 't/lib';
use Weir::Test;

for my $glued (0, 1) {
    my $w = Weir::Test->new('a reload keeps the options of the command line');
    my $conf = sub ($word) { "daemon off; pid logs/weir.pid; error_log logs/error.log info; events { }\nhttp { access_log off; server { listen 127.0.0.1:%%PORT%%; location / { return 200 '$word \$hostname'; } } }\n" };
    $w->conf_main($conf->('one'), workers => 1, control => 0);
    my $path = $w->dir;
    my @words = $glued ? ("-p$path/", '-cconf/weir.conf', '-elogs/error.log', '-gworker_processes 1; working_directory /tmp;')
                       : ('-p', "$path/", '-c', 'conf/weir.conf', '-e', 'logs/error.log', '-g', 'worker_processes 1; working_directory /tmp;');
    no warnings 'redefine';
    local *Weir::Server::arguments = sub ($self) { ($self->{bin}, @words) };
    $w->start;
    like $w->get('/')->body, qr/^one /, 'it serves';
    for my $word ('two', 'three') {
        $w->write_file('conf/weir.conf', $conf->($word));
        $w->signal('HUP');
        $w->wait_until("the reload is in use", sub { $w->get('/')->body =~ /^$word / });
        pass "configuration '$word' is in use";
    }
    unlike $w->error_log, qr/\[emerg\]/, 'without a complaint';
    $w->write_file('conf/weir.conf', $conf->('four'));
    is +($w->run(@words[0 .. ($glued ? 1 : 3)], '-s', 'reload'))[0], 0, '-s reload' if !$w->is_nginx;
    $w->stop;
}
done_testing;
