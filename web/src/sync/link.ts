/**
 * One socket kept open: connecting, heartbeat, back-off, and what to tell the person of it.
 *
 * Knows bytes and time but no rooms. Start at `start`, `#connect` and `#lost`. Not here: what
 * is said in `Hello` and after `Welcome` (connection.ts).
 */
import { backoffMs, goodbyeMs } from './backoff';
import { BadFrame } from './frames';
import type { Clock, ConnectionStatus, SocketLike } from './types';
import { decodeMessage, encodeMessage, type ClientMessage, type ServerMessage } from './wire';

/** From loss of the connection until the person is told. */
const OFFLINE_AFTER_MS = 3_000;
/** From opening a socket until `Welcome`. */
const WELCOME_WAIT_MS = 15_000;
/** After the browser says that the network changed: until the server must have been heard. */
const PROBE_WAIT_MS = 5_000;
/** A connection that lived for less does not reset the back-off. */
const STABLE_AFTER_MS = 5_000;
/** A pong on its way does not make the connection stale. */
const FRESH_SLACK_MS = 3_000;

export interface LinkOptions {
  openSocket: () => SocketLike;
  clock: Clock;
  random: () => number;
  /** The socket is open: say Hello. */
  onOpen: () => void;
  onMessage: (message: ServerMessage) => void;
  /** It was welcomed and is gone. */
  onLost: () => void;
  onStatus: () => void;
}

type Phase = 'idle' | 'waiting' | 'opening' | 'up' | 'ended';

export class Link {
  readonly #options: LinkOptions;
  #phase: Phase = 'idle';
  #status: ConnectionStatus = 'connecting';
  #socket: SocketLike | null = null;
  #open = false;
  #serial = 0;
  #attempt = 0;
  #upSince = 0;
  #heartbeatMs = 15_000;
  #lastSent = 0;
  #lastHeard = 0;
  #nonce = 0;
  /** Lower bound that Goodbye set for the next attempt. */
  #notBeforeMs = 0;
  #retryTimer: unknown = null;
  #welcomeTimer: unknown = null;
  #beatTimer: unknown = null;
  #offlineTimer: unknown = null;
  #probeTimer: unknown = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#phase !== 'idle') return;
    this.#awaitOffline();
    this.#connect();
  }

  stop(): void {
    this.#end('offline', 1000);
  }

  status(): ConnectionStatus {
    return this.#status;
  }

  isUp(): boolean {
    return this.#phase === 'up';
  }

  /** Clock time until which the connection counts as heard from. */
  freshUntil(): number {
    return this.#lastHeard + this.#heartbeatMs + FRESH_SLACK_MS;
  }

  /** Names the present socket, for what is awaited in between. */
  serial(): number {
    return this.#serial;
  }

  send(...messages: ClientMessage[]): void {
    if (!this.#socket || !this.#open || messages.length === 0) return;
    this.#lastSent = this.#options.clock.now();
    this.#socket.send(encodeMessage(messages));
  }

  /** `Welcome` came and is accepted: from here on the connection counts. */
  welcomed(heartbeatMs: number): void {
    this.#phase = 'up';
    this.#heartbeatMs = heartbeatMs;
    this.#upSince = this.#options.clock.now();
    this.#clear('welcome');
    this.#clear('offline');
    this.#beat();
    this.#say('online');
  }

  /** Connects anew at once, for another Hello. */
  reconnect(): void {
    if (this.#phase === 'ended' || this.#phase === 'idle') return;
    this.#drop(1000);
    this.#connect();
  }

  /** The sign-in is not (or no longer) that of this queue's person. */
  signedOut(): void {
    this.#end('signed_out', 1000);
  }

  retryNow(): void {
    if (this.#phase === 'waiting') this.#connect();
    if (this.#phase === 'ended' && this.#status === 'signed_out') {
      this.#phase = 'waiting';
      this.#say('connecting');
      this.#awaitOffline();
      this.#connect();
    }
  }

  online(): void {
    if (this.#phase === 'waiting') this.#connect();
    if (this.#phase !== 'up') return;
    const { clock } = this.#options;
    const asked = clock.now();
    this.#ping();
    this.#clear('probe');
    this.#probeTimer = clock.setTimeout(() => {
      if (this.#phase === 'up' && this.#lastHeard < asked) this.#lost(1006);
    }, PROBE_WAIT_MS);
  }

  #connect(): void {
    const { clock, openSocket } = this.#options;
    this.#clear('retry');
    this.#phase = 'opening';
    this.#serial += 1;
    this.#welcomeTimer = clock.setTimeout(() => this.#lost(1006), WELCOME_WAIT_MS);
    let socket: SocketLike;
    try {
      socket = openSocket();
    } catch {
      this.#lost(1006);
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      this.#open = true;
      this.#options.onOpen();
    };
    socket.onmessage = (data) => this.#heard(socket, data);
    socket.onclose = (code) => {
      if (this.#socket === socket) this.#lost(code);
    };
  }

  #heard(socket: SocketLike, data: Uint8Array): void {
    this.#lastHeard = this.#options.clock.now();
    let messages: ServerMessage[];
    try {
      messages = decodeMessage(data);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#lost(4400, error);
      return;
    }
    for (const message of messages) {
      // Handling one may have ended this socket.
      if (this.#socket !== socket) return;
      this.#took(message);
    }
  }

  #took(message: ServerMessage): void {
    if (message.type === 'goodbye') {
      this.#notBeforeMs = goodbyeMs(message.retryAfterMs, this.#options.random);
    }
    this.#options.onMessage(message);
  }

  /** The connection is gone, or never came to be. `misread`: it was us who could not read it. */
  #lost(code: number, misread?: BadFrame): void {
    if (this.#phase === 'ended' || this.#phase === 'idle') return;
    const { clock, random } = this.#options;
    if (misread) console.warn('weft: connection dropped:', misread.message);
    else if (code === 4401) return this.#end('signed_out', 1000);
    else if (code === 4400 || code === 4406) return this.#end('outdated', 1000);

    if (this.#phase === 'up' && clock.now() - this.#upSince >= STABLE_AFTER_MS) this.#attempt = 0;
    const wait = Math.max(backoffMs(this.#attempt, random), this.#notBeforeMs);
    this.#attempt += 1;
    this.#notBeforeMs = 0;
    this.#drop(misread ? 4400 : 1000);
    this.#phase = 'waiting';
    this.#retryTimer = clock.setTimeout(() => this.#connect(), wait);
    if (this.#status === 'online') {
      this.#say('connecting');
      this.#awaitOffline();
    }
  }

  #awaitOffline(): void {
    this.#clear('offline');
    this.#offlineTimer = this.#options.clock.setTimeout(() => this.#say('offline'), OFFLINE_AFTER_MS);
  }

  #beat(): void {
    const { clock } = this.#options;
    const now = clock.now();
    if (now - this.#lastHeard >= 2 * this.#heartbeatMs) return this.#lost(1006);
    // A client that only talks still wants to hear, so either silence asks for a ping.
    const due = Math.min(this.#lastSent, this.#lastHeard) + this.#heartbeatMs;
    if (now >= due) this.#ping();
    const next = Math.min(Math.max(due, now + this.#heartbeatMs / 2), this.#lastHeard + 2 * this.#heartbeatMs);
    this.#beatTimer = clock.setTimeout(() => this.#beat(), Math.max(1, next - now));
  }

  #ping(): void {
    this.#nonce += 1;
    this.send({ type: 'ping', nonce: this.#nonce });
  }

  #end(status: ConnectionStatus, code: number): void {
    this.#drop(code);
    this.#phase = 'ended';
    this.#clear('retry');
    this.#clear('offline');
    this.#say(status);
  }

  #drop(code: number): void {
    const wasUp = this.#phase === 'up';
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    for (const timer of ['welcome', 'beat', 'probe'] as const) this.#clear(timer);
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(code);
    }
    this.#phase = 'waiting';
    if (wasUp) this.#options.onLost();
  }

  #say(status: ConnectionStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#options.onStatus();
  }

  #clear(timer: 'retry' | 'welcome' | 'beat' | 'offline' | 'probe'): void {
    const { clock } = this.#options;
    switch (timer) {
      case 'retry':
        clock.clearTimeout(this.#retryTimer);
        this.#retryTimer = null;
        return;
      case 'welcome':
        clock.clearTimeout(this.#welcomeTimer);
        this.#welcomeTimer = null;
        return;
      case 'beat':
        clock.clearTimeout(this.#beatTimer);
        this.#beatTimer = null;
        return;
      case 'offline':
        clock.clearTimeout(this.#offlineTimer);
        this.#offlineTimer = null;
        return;
      case 'probe':
        clock.clearTimeout(this.#probeTimer);
        this.#probeTimer = null;
        return;
    }
  }
}
