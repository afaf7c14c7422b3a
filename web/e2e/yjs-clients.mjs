/**
 * Unmodified Yjs clients from npm, each with the same few things that a test looks at: the document's
 * text, whether the client takes everything for saved, and how often it lost its connection.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { createYjsProvider } from '@y-sweet/client';
import * as provider3 from 'hocuspocus-provider-3';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const harness =
  process.env.WEFT_HARNESS ?? fileURLToPath(new URL('../../target/release/weft-harness', import.meta.url));

const socketUrl = (server) => server.url.replace('http', 'ws');

/** The client of that name. `isSaved()` is what the client itself would show its person. */
export const clients = {
  'y-websocket': (t, server, person, name) => {
    const doc = new Y.Doc();
    const provider = new WebsocketProvider(`${socketUrl(server)}/yjs`, name, doc, {
      WebSocketPolyfill: WebSocket,
      params: { token: person.token },
      disableBc: true,
      maxBackoffTime: 300,
    });
    // What a client that listens for 102 does: it asks on every connection and with every change.
    let [asked, answered] = [1, 0];
    provider.messageHandlers[102] = () => (answered += 1);
    const ask = () => {
      if (provider.ws?.readyState === WebSocket.OPEN) provider.ws.send(Uint8Array.of(102, 1, 7));
    };
    doc.on('update', (_update, origin) => {
      if (origin === provider) return;
      asked += 1;
      ask();
    });
    provider.on('status', ({ status }) => {
      if (status !== 'connected') return;
      [asked, answered] = [1, 0];
      ask();
    });
    const client = made(t, doc, provider.awareness, () => provider.destroy());
    provider.on('connection-close', () => (client.closes += 1));
    return Object.assign(client, {
      provider,
      isSynced: () => provider.synced,
      isSaved: () => asked === answered,
      disconnect: () => provider.disconnect(),
      connect: () => provider.connect(),
    });
  },
  'Hocuspocus 4.8': (t, server, person, name) =>
    hocuspocus(t, server, person, name, HocuspocusProvider, HocuspocusProviderWebsocket),
  'Hocuspocus 3.4': (t, server, person, name) =>
    hocuspocus(
      t,
      server,
      person,
      name,
      provider3.HocuspocusProvider,
      provider3.HocuspocusProviderWebsocket,
    ),
  'y-sweet': (t, server, person, name) => {
    const doc = new Y.Doc();
    const authorize = async () => {
      const answer = await fetch(`${server.url}/doc/${name}/auth`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${person.token}`, 'Content-Type': 'application/json' },
        body: '{}',
      });
      if (!answer.ok) throw new Error(`no token: ${answer.status}`);
      return answer.json();
    };
    const provider = createYjsProvider(doc, name, authorize, {
      WebSocketPolyfill: WebSocket,
      showDebuggerLink: false,
    });
    const client = made(t, doc, provider.awareness, () => endYSweet(provider));
    provider.on('connection-close', () => (client.closes += 1));
    return Object.assign(client, {
      provider,
      isSynced: () => provider.status === 'connected',
      isSaved: () => !provider.hasLocalChanges,
      disconnect: () => {
        disconnectYSweet(provider);
        provider.setStatus('offline');
      },
      connect: () => provider.connect(),
    });
  },
};

/** Ends a y-sweet client for good: by itself it comes back after every end, also after its own. */
export function endYSweet(provider) {
  provider.attemptToConnect = provider.ensureClientToken = () => new Promise(() => undefined);
  disconnectYSweet(provider);
}

function disconnectYSweet(provider) {
  if (provider.websocket !== null) {
    provider.websocket.onclose = provider.websocket.onerror = null;
    provider.websocket.close();
  }
  provider.clearHeartbeat();
  provider.clearConnectionTimeout();
}

function hocuspocus(t, server, person, name, Provider, Websocket) {
  const doc = new Y.Doc();
  const websocketProvider = websocket(t, server, Websocket);
  const provider = new Provider({ websocketProvider, name, document: doc, token: person.token });
  provider.attach();
  const client = made(t, doc, provider.awareness, () => provider.destroy());
  client.refusals = [];
  provider.on('authenticationFailed', ({ reason }) => client.refusals.push(reason));
  websocketProvider.on('disconnect', () => (client.closes += 1));
  return Object.assign(client, {
    provider,
    isSynced: () => provider.synced,
    isSaved: () => !provider.hasUnsyncedChanges,
    disconnect: () => websocketProvider.disconnect(),
    connect: () => websocketProvider.connect(),
  });
}

/** A socket for several documents. */
export function websocket(t, server, Websocket = HocuspocusProviderWebsocket) {
  const socket = new Websocket({
    url: `${socketUrl(server)}/hocuspocus`,
    WebSocketPolyfill: WebSocket,
    delay: 200,
    minDelay: 100,
    maxDelay: 400,
  });
  t.after(() => socket.destroy());
  return socket;
}

function made(t, doc, awareness, end) {
  t.after(() => {
    end();
    awareness.destroy();
    doc.destroy();
  });
  return { doc, awareness, text: doc.getText('t'), closes: 0 };
}

/** Makes the server's commits wait, as a slow disk would, until `release` is called. */
export async function holdCommits(t, server) {
  const child = spawn(harness, ['hold-log', `${server.dataDir}/log/log.db`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const says = async (word) => {
    const { value } = await lines.next();
    if (value !== word) throw new Error(`the harness said ${value}, not ${word}`);
  };
  await says('held');
  return async () => {
    child.stdin.end();
    await says('released');
  };
}
