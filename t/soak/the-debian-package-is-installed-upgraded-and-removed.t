# scripts/package: lintian finds nothing; installed on a machine of its own (namespaces over a copy of this one), Weir starts as the unit says, an
# upgrade of the package under load loses no request, removal ends it and leaves the configuration, purge leaves nothing.  It starts with the rights
# that the unit leaves it and no others, and without root as the drop-in among the examples has it.
use v5.36;
use lib 't/lib';
use File::Temp 'tempdir';
use Test::More;

my $bin = $ENV{WEIR_BIN} // 'objs/weir';
plan skip_all => 'the package builds its own program: once is enough' if $bin =~ m{objs/\w+/};
for my $program (qw(dpkg-deb dpkg-shlibdeps lintian unshare setpriv systemd-analyze curl ip)) {
    plan skip_all => "$program is not installed" unless grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin';
}
plan skip_all => 'only root may make namespaces' if $> != 0;
plan skip_all => 'the kernel lets nobody make namespaces or overlays here'
    if system("unshare -mnpf --kill-child --mount-proc sh -c 'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/m && mount -t overlay none"
        . " -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/m' >/dev/null 2>&1") != 0;

local $ENV{MAKEFLAGS} = '';
my $dir = tempdir(CLEANUP => 1);
my $build = sub ($to, @more) {
    my $said = `scripts/package @more $dir/$to 2>&1`;
    is $?, 0, "$to is built" or diag $said;
    return (glob "$dir/$to/*.deb")[0];
};
my $first  = $build->('one');
my $again  = $build->('same');
my $second = $build->('two', '--revision=+1');
is `cmp $first $again 2>&1`, '', 'two builds of one commit have the same bytes';
is `lintian --allow-root --fail-on error,warning $first 2>&1 | grep -v ^running`, '', 'lintian finds nothing';

my $script = "$dir/inside";
open my $out, '>', $script or die $!;
print $out <<'END';
set -u
first=$1 second=$2 root=$3
check() { if eval "$2"; then echo "ok $1"; else echo "not $1"; fi; }
mount -t tmpfs none "$root" && mkdir "$root/u" "$root/w" "$root/m" || exit 9
mount -t overlay none -o lowerdir=/,upperdir="$root/u",workdir="$root/w" "$root/m" || exit 9
cp "$first" "$root/m/first.deb"; cp "$second" "$root/m/second.deb"
mount -t proc proc "$root/m/proc" && mount --rbind /dev "$root/m/dev" && mount -t tmpfs none "$root/m/run" && mount -t tmpfs none "$root/m/tmp" || exit 9
ip link set lo up
cat > "$root/m/inside" <<'INSIDE'
set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
check() { if eval "$2"; then echo "ok $1"; else echo "not $1"; fi; }
dpkg -i /first.deb > /said 2>&1 || cat /said
check 'installed' 'dpkg -s weir | grep -q "^Status: install ok installed"'
check 'the user is there' 'id weir > /dev/null'
check 'the unit is well-formed' 'systemd-analyze verify --man=no /lib/systemd/system/weir.service > /said 2>&1 && ! grep weir /said'
check 'the unit is hardened' 'systemd-analyze security --offline=true --threshold=26 /lib/systemd/system/weir.service > /said 2>&1 || { tail -n 3 /said; false; }'
check 'bash completes a tool' '. /usr/share/bash-completion/completions/weir; COMP_WORDS=(weir cons); COMP_CWORD=1; _weir; [ "${COMPREPLY[*]}" = consumer ]'
check 'bash completes a directive' 'COMP_WORDS=(weir -h proxy_pas); COMP_CWORD=2; _weir; [[ " ${COMPREPLY[*]} " = *" proxy_pass "* ]]'
check 'man page' '[ -s /usr/share/man/man5/weir.conf.5.gz ]'
check 'examples and reference' '[ -s /usr/share/doc/weir/examples/reverse-proxy.conf ] && [ -s /usr/share/doc/weir/reference/http.md ]'
# as_unit WORDS...: with the unit's capabilities and its view of /proc.  as_weir: so without root, as the drop-in says.
unit() { sed -n "s/^$1=//p" /lib/systemd/system/weir.service; }
rights=$(unit CapabilityBoundingSet | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
as_unit() { unshare -m sh -c 'mount -t proc -o subset=pid,hidepid=invisible proc /proc && umask 027 && exec "$@"' sh \
    setpriv --bounding-set "-all,$rights" --inh-caps -all --no-new-privs "$@"; }
as_weir() { unshare -m sh -c 'mount -t proc -o subset=pid,hidepid=invisible proc /proc && umask 077 && exec "$@"' sh \
    setpriv --reuid weir --regid weir --init-groups --bounding-set -all,+net_bind_service --inh-caps -all,+net_bind_service \
    --ambient-caps +net_bind_service --no-new-privs "$@"; }
workers() { ps -o "args=,$1=" --ppid "$(cat /run/weir/weir.pid)" | sed -n 's/^weir: worker process.* //p' | sort -u; }
ended() { for i in $(seq 200); do kill -0 "$1" 2>/dev/null || return 0; sleep .05; done; return 1; }
as_unit $(unit ExecStartPre) && as_unit $(unit ExecStart)
check 'it serves' 'curl -s 127.0.0.1/ | grep -q "Weir is running"'
check 'the workers are its user' '[ "$(workers user)" = weir ]'
check 'nothing alarms it' '! grep -E "\[(alert|emerg|crit)\]" /var/log/weir/error.log'
check 'the unit reloads it' 'as_unit $(unit ExecReload) | grep -q "configuration 2 is in use"'
check 'its logs are not for all' '[ "$(stat -c %a /var/log/weir/error.log)" = 640 ]'
before=$(cat /run/weir/weir.pid)
check 'logrotate is content' '! command -v logrotate > /dev/null || logrotate -f /etc/logrotate.d/weir'
(while [ ! -e /enough ]; do curl -s -o /dev/null -w '%{http_code}\n' 127.0.0.1/ || echo failed; done) > /load & load=$!
dpkg -i /second.deb > /said 2>&1 || cat /said
check 'the new package is there' 'dpkg -s weir | grep -q "^Version: .*+1"'
check 'the new program serves' '[ "$(cat /run/weir/weir.pid)" != "$before" ] && curl -s 127.0.0.1/ | grep -q "Weir is running"'
touch /enough; wait $load
check 'no request was lost' '[ "$(sort -u /load)" = 200 ] || { sort /load | uniq -c; false; }'
check 'there was load' '[ $(wc -l < /load) -gt 10 ]'
old=$(cat /run/weir/weir.pid)
as_unit weir -s quit
check 'it leaves' 'ended $old'
mkdir -p /etc/systemd/system/weir.service.d && cp /usr/share/doc/weir/examples/unprivileged.conf /etc/systemd/system/weir.service.d/
cp /lib/systemd/system/weir.service /etc/systemd/system/weir.service
check 'without root it is hardened more' 'systemd-analyze security --offline=true --threshold=15 weir.service > /said 2>&1 || { tail -n 3 /said; false; }'
rm -r /etc/systemd/system/weir.service*
chown -R weir:weir /run/weir /var/lib/weir /var/log/weir        # as systemd does
as_weir $(unit ExecStartPre) && as_weir $(unit ExecStart)
check 'without root it serves' 'curl -s 127.0.0.1/ | grep -q "Weir is running"'
check 'without root the master is weir' '[ "$(ps -o user= -p $(cat /run/weir/weir.pid))" = weir ] && [ "$(workers user)" = weir ]'
check 'its workers can do nothing' '! grep -h "^Cap\(Inh\|Prm\|Eff\|Amb\)" $(workers pid | sed "s|.*|/proc/&/status|; s/ //g") | grep -v "0000000000000000$"'
check 'without root it is reloaded' 'as_weir $(unit ExecReload) | grep -q "configuration 2 is in use"'
old=$(cat /run/weir/weir.pid)
check 'without root it is upgraded' 'weir -s upgrade && [ "$(cat /run/weir/weir.pid)" != $old ] && curl -s 127.0.0.1/ | grep -q "Weir is running"'
check 'without root nothing alarms it' '! grep -E "\[(alert|emerg|crit)\]" /var/log/weir/error.log'
master=$(cat /run/weir/weir.pid)
dpkg -r weir > /said 2>&1 || cat /said
check 'removal ends it' 'ended $master'
check 'removal leaves the configuration' '[ -s /etc/weir/weir.conf ] && [ ! -e /usr/sbin/weir ]'
dpkg -P weir > /said 2>&1 || cat /said
check 'purge leaves nothing' '! ls -d /etc/weir /var/log/weir /var/lib/weir /lib/systemd/system/weir.service /usr/share/doc/weir 2>/dev/null'
echo end
INSIDE
exec chroot "$root/m" bash /inside
END
close $out;
mkdir "$dir/root";
my $said = `timeout 120 unshare -mnpf --kill-child --mount-proc sh $script $first $second $dir/root 2>&1`;
like $said, qr/^end$/m, 'the whole story was told';
is join("\n", grep { !/^ok / && $_ ne 'end' } split /\n/, $said), '', 'every step held' or diag $said;
cmp_ok scalar(() = $said =~ /^ok /mg), '>=', 29, 'nothing was left out';
done_testing;
