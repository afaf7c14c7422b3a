/**
 * A provider of OpenID Connect: `oidc-provider` of npm with its own pages for development. It knows everybody by what
 * they type as their login, and believes any password.
 */
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

export const client = { id: 'weft', secret: 'secret of the client' };

/** `people` say what the provider knows of somebody besides. Its host is another site than `127.0.0.1`. */
export async function startProvider(redirect, people) {
  let answer = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => answer(request, response));
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirect] }],
    claims: { profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    cookies: { keys: ['a key of these tests alone'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  });
  answer = provider.callback();
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** Signs in on the provider's page, and lets it tell Weft. */
export async function signInThere(page, login) {
  await page.waitForURL(/\/interaction\//);
  await page.getByPlaceholder('Enter any login').fill(login);
  await page.getByPlaceholder('and password').fill('anything');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await agreeThere(page);
}

/** Lets the provider tell Weft, if it asks: it does so once for each client and person. */
async function agreeThere(page) {
  const agree = page.getByRole('button', { name: 'Continue' });
  const back = page.waitForURL(/^http:\/\/127\.0\.0\.1/).then(() => false);
  const asked = agree.waitFor().then(
    () => true,
    () => false,
  );
  if (await Promise.race([back, asked])) await agree.click();
  await back;
}
