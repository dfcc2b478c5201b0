// A provider made of npm's oidc-provider, which is certified by the OpenID Foundation, on a port of the kernel's choice.
//
//     node provider.mjs FOLDER_OF_NODE_MODULES REDIRECT_URI POST_LOGOUT_URI        prints "port N" when it serves
//
// One client, weir; anybody may log in with any name on its own pages; access tokens end after three seconds, refresh
// tokens are used once.
import http from 'node:http';
import path from 'node:path';

const [modules, redirect, after] = process.argv.slice(2);
const { default: Provider } = await import(path.resolve(modules, 'oidc-provider/lib/index.js'));
const server = http.createServer();

server.listen(0, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [{ client_id: 'weir', client_secret: 'a secret of thirty-two characters', redirect_uris: [redirect],
            post_logout_redirect_uris: [after], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
        findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
        claims: { openid: ['sub'], email: ['email'] },
        conformIdTokenClaims: false,
        cookies: { keys: ['of a test'] },
        issueRefreshToken: () => true,
        rotateRefreshToken: true,
        pkce: { required: () => true, methods: ['S256'] },
        ttl: { AccessToken: 3, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 3600, Interaction: 3600, Session: 3600, Grant: 3600 },
    });
    provider.on('server_error', (ctx, error) => console.error(error));
    server.on('request', provider.callback());
    console.error(`port ${server.address().port}`);
});
