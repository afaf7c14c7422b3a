/**
 * The browser's side of the native protocol: WebSocket, IndexedDB, Web Locks, page events.
 *
 * The only file here that touches globals of the browser. Start at [`connectBrowser`].
 */
import { createConnection } from './connection';
import { IdbQueue, forgetQueue } from './queue-idb';
import type { Clock, Connection, SocketLike } from './types';

const SUBPROTOCOL = 'weft.v1';
/** Without Web Locks: how often a tab says that it lives, and when another may take its queue. */
const ALIVE_EVERY_MS = 20_000;
const STALE_AFTER_MS = 60_000;

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => window.setTimeout(fn, ms),
  clearTimeout: (handle) => window.clearTimeout(typeof handle === 'number' ? handle : undefined),
};

/** One per page, for the person who is signed in; `personId` names the queue. */
export function connectBrowser(personId: string): Connection {
  const queue = new IdbQueue(personId);
  const claims = 'locks' in navigator ? new LockClaims(queue) : new HeartbeatClaims(queue);
  const connection = createConnection({
    openSocket,
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

function openSocket(): SocketLike {
  const { protocol, host } = window.location;
  const socket = new WebSocket(`${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}/ws`, SUBPROTOCOL);
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
    else void refusedCode(code).then((why) => coat.onclose?.(why));
  };
  return coat;
}

/** A browser does not say why a handshake failed; whether one is still signed in can be asked. */
async function refusedCode(code: number): Promise<number> {
  try {
    const answer = await fetch('/api/v1/auth/me', { credentials: 'same-origin', cache: 'no-store' });
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
  window.addEventListener('online', online);
  document.addEventListener('visibilitychange', visible);
  window.addEventListener('pagehide', hide);
  window.addEventListener('beforeunload', leave);
  return () => {
    window.removeEventListener('online', online);
    document.removeEventListener('visibilitychange', visible);
    window.removeEventListener('pagehide', hide);
    window.removeEventListener('beforeunload', leave);
  };
}

/** Which client ids this tab holds, so that no two tabs send under the same one. */
interface Claims {
  issued(id: number): Promise<void>;
  /** Those that closed tabs left with something in their queue. */
  claim(): Promise<readonly number[]>;
  stop(): void;
}

/** Ids held by Web Locks for the life of the tab. */
class LockClaims implements Claims {
  readonly #queue: IdbQueue;
  readonly #held = new Map<number, () => void>();
  #own = new Set<number>();

  constructor(queue: IdbQueue) {
    this.#queue = queue;
  }

  async issued(id: number): Promise<void> {
    this.#own.add(id);
    // The lock first: a recorded id without one is free for others to take.
    await this.#hold(id);
    await this.#queue.rememberClients([id], Date.now());
  }

  async claim(): Promise<readonly number[]> {
    const claimed: number[] = [];
    for (const id of await this.#queue.clientIds()) {
      if (this.#own.has(id) || !(await this.#hold(id))) continue;
      if ((await this.#queue.rooms([id])).length > 0) claimed.push(id);
      else {
        await this.#queue.forgetClient(id);
        this.#release(id);
      }
    }
    return claimed;
  }

  stop(): void {
    for (const id of [...this.#held.keys()]) this.#release(id);
  }

  /** True once this tab holds it. */
  #hold(id: number): Promise<boolean> {
    if (this.#held.has(id)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const asked = navigator.locks.request(`weft-client-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock === null) return;
        return new Promise<void>((release) => this.#held.set(id, release));
      });
      asked.catch(() => resolve(false));
    });
  }

  #release(id: number): void {
    this.#held.get(id)?.();
    this.#held.delete(id);
  }
}

/** Without Web Locks (pages without https): tabs say that they live; who is silent is succeeded. */
class HeartbeatClaims implements Claims {
  readonly #queue: IdbQueue;
  readonly #mine = new Set<number>();
  readonly #own = new Set<number>();
  readonly #timer: number;

  constructor(queue: IdbQueue) {
    this.#queue = queue;
    this.#timer = window.setInterval(() => void this.#live(), ALIVE_EVERY_MS);
  }

  async issued(id: number): Promise<void> {
    this.#own.add(id);
    this.#mine.add(id);
    await this.#live();
  }

  async claim(): Promise<readonly number[]> {
    const now = Date.now();
    for (const id of await this.#queue.claimStale(now - STALE_AFTER_MS, now)) this.#mine.add(id);
    const claimed: number[] = [];
    for (const id of this.#mine) {
      if (this.#own.has(id)) continue;
      if ((await this.#queue.rooms([id])).length > 0) claimed.push(id);
      else {
        this.#mine.delete(id);
        await this.#queue.forgetClient(id);
      }
    }
    return claimed;
  }

  stop(): void {
    window.clearInterval(this.#timer);
  }

  async #live(): Promise<void> {
    try {
      await this.#queue.rememberClients([...this.#mine], Date.now());
    } catch {
      // No storage: then there is no queue that another tab could take either.
    }
  }
}
