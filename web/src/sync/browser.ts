/**
 * The browser's side of the native protocol: WebSocket, IndexedDB, Web Locks, page events.
 *
 * The only file here that touches globals of the browser. Start at [`connectBrowser`].
 */
import { HeartbeatClaims, LockClaims } from './claims';
import { createConnection } from './connection';
import { IdbQueue, forgetQueue } from './queue-idb';
import type { Clock, Connection, SocketLike } from './types';

const SUBPROTOCOL = 'weft.v1';

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => window.setTimeout(fn, ms),
  clearTimeout: (handle) => window.clearTimeout(typeof handle === 'number' ? handle : undefined),
};

/** One per page, for the person who is signed in, or for a guest in a room; `personId` names the queue. */
export function connectBrowser(personId: string, guest: string | null): Connection {
  const queue = new IdbQueue(personId);
  // Pages without https have no Web Locks.
  const claims = 'locks' in navigator ? new LockClaims(queue, navigator.locks, clock) : new HeartbeatClaims(queue, clock);
  const connection = createConnection({
    openSocket: () => openSocket(guest),
    clock,
    random: Math.random,
    queue,
    claimClientIds: () => claims.claim(),
    onClientIdIssued: (id) => claims.issued(id),
    personId,
  });
  const unlisten = listen(connection);
  const stop = connection.stop.bind(connection);
  connection.stop = async () => {
    unlisten();
    claims.stop();
    await stop();
    await queue.close();
  };
  return connection;
}

/** Wipes what this browser keeps of a person who signs out; after `stop`. */
export async function forgetPerson(personId: string): Promise<void> {
  await forgetQueue(personId);
}

function openSocket(guest: string | null): SocketLike {
  const { protocol, host } = window.location;
  const socket = new WebSocket(`${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws${asGuest(guest)}`, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  let opened = false;
  const coat: SocketLike = {
    send: (data) => {
      // After close() a browser drops what is sent; while connecting it would throw.
      if (socket.readyState === WebSocket.OPEN) socket.send(Uint8Array.from(data));
    },
    close: (code) => socket.close(code),
    onopen: null,
    onmessage: null,
    onclose: null,
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
  };
  socket.onopen = () => {
    opened = true;
    coat.onopen?.();
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    // Text is no frame: as empty bytes that end within a length it is treated as such.
    coat.onmessage?.(data instanceof ArrayBuffer ? new Uint8Array(data) : Uint8Array.of(0x80));
  };
  socket.onclose = ({ code }) => {
    if (opened) coat.onclose?.(code);
    else void refusedCode(code, guest).then((why) => coat.onclose?.(why));
  };
  return coat;
}

/** Says that a request is the guest's in that room. */
const asGuest = (room: string | null): string => (room === null ? '' : `?guest=${room}`);

/** A browser does not say why a handshake failed; whether one is still signed in can be asked. */
async function refusedCode(code: number, guest: string | null): Promise<number> {
  try {
    const path = guest === null ? 'auth/me' : `rooms/${guest}${asGuest(guest)}`;
    const answer = await fetch(`/api/v1/${path}`, { credentials: 'same-origin', cache: 'no-store' });
    return answer.status === 401 ? 4401 : code;
  } catch {
    return code;
  }
}

function listen(connection: Connection): () => void {
  const online = (): void => connection.online();
  const visible = (): void => {
    if (document.visibilityState === 'hidden') connection.flush();
    else connection.online();
  };
  const hide = (): void => connection.flush();
  const leave = (event: BeforeUnloadEvent): void => {
    connection.flush();
    if (connection.wouldLose()) event.preventDefault();
  };
  // Either may be wrong about our server: ask it.
  window.addEventListener('online', online);
  window.addEventListener('offline', online);
  document.addEventListener('visibilitychange', visible);
  window.addEventListener('pagehide', hide);
  window.addEventListener('beforeunload', leave);
  return () => {
    window.removeEventListener('online', online);
    window.removeEventListener('offline', online);
    document.removeEventListener('visibilitychange', visible);
    window.removeEventListener('pagehide', hide);
    window.removeEventListener('beforeunload', leave);
  };
}
