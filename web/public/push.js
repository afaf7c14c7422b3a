// Shows what the server pushes, also while no page is open, and leads to it. Keeps nothing: pages come from the server.

/** How long a page may take to say that it goes there. */
const ANSWER_MS_MAX = 500;

self.addEventListener('push', (event) => event.waitUntil(show(told(event.data))));

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data.path));
});

/** The push service has changed the browser's address: the server is told the new one. */
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event.newSubscription)));

/** What is to be shown. Browsers demand that something is. */
function told(data) {
  try {
    const shown = data.json();
    if (Array.isArray(shown) && shown.length > 0) return shown;
  } catch {
    // Something that this page does not know yet.
  }
  return [{ text: 'Weft', path: '/inbox', tag: 'notices' }];
}

async function show(shown) {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // Whoever looks at the app need not hear it, too.
  const silent = windows.some(({ focused }) => focused);
  for (const { text, path, tag } of shown) {
    await self.registration.showNotification(text, { tag, silent, data: { path }, icon: '/icon-192.png' });
  }
}

/** To a page that is open and takes it, or a new one. */
async function lead(path) {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const window of windows) {
    if (await goes(window, path)) return window.focus();
  }
  return self.clients.openWindow(path);
}

function goes(window, path) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(true);
    setTimeout(() => resolve(false), ANSWER_MS_MAX);
    window.postMessage({ weft: 'open', path }, [port2]);
  });
}

async function renew(subscription) {
  const answer = await fetch('/api/v1/auth/push');
  if (!answer.ok) return;
  const { public_key: key, endpoint } = await answer.json();
  if (endpoint === null) return;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const fresh = subscription ?? (await self.registration.pushManager.subscribe(options));
  const { endpoint: address, keys } = fresh.toJSON();
  await fetch('/api/v1/auth/push', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ endpoint: address, ...keys }),
  });
}
