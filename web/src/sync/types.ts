/**
 * What the rest of the web app sees of Weft's native protocol: connections, rooms, replicas.
 *
 * Every state object here is an immutable snapshot: a new object when something changed, the
 * same object otherwise, as React's `useSyncExternalStore` wants it. Nothing here knows React
 * or the DOM; sockets, time, chance and storage come in.
 */
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { QueueStore } from './queue';

/** `offline` only after 3 s without a connection; before that, and before the first, `connecting`. */
export type ConnectionStatus = 'connecting' | 'online' | 'offline' | 'signed_out' | 'outdated';

export type Right = 'none' | 'read' | 'comment' | 'edit' | 'manage';

/**
 * What went wrong. `code` is one of docs/protocol.md, or of this side's own:
 * `client_retired` (made by a client id that is no longer answered for), `replaced` (the room's
 * content was replaced, L8), `unreadable` (bytes of the server that this version cannot read),
 * `closed` (the room was closed before the outcome was known; the change is still kept).
 */
export interface Fault {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** A socket for binary messages; a browser's WebSocket behind a thin coat, or a test's. */
export interface SocketLike {
  send(data: Uint8Array): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((data: Uint8Array) => void) | null;
  /** Called once, also when it never opened. */
  onclose: ((code: number) => void) | null;
  readonly bufferedAmount?: number;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface ConnectionOptions {
  openSocket: () => SocketLike;
  clock: Clock;
  /** Uniform in 0 ≤ x < 1. */
  random: () => number;
  queue: QueueStore;
  /**
   * Ids of closed tabs that this tab has claimed, for sending again what they left. Asked anew
   * at each connect. New operations are only made under an id issued to this very connection,
   * so that no number is ever used twice (L3).
   */
  claimClientIds: () => Promise<readonly number[]>;
  onClientIdIssued: (id: number) => void | Promise<void>;
  /** Whose queue this is. If the server says that somebody else is signed in, nothing is sent. */
  personId?: string;
}

export interface Connection {
  subscribe(fn: () => void): () => void;
  status(): ConnectionStatus;
  person(): Person | null;
  /** By id or key. One room behind it however often it is opened; close each one. */
  open(room: string): Room;
  /** Skips the wait for the next attempt, and sends again what is unanswered. */
  retryNow(): void;
  /** The browser says that the network is back. */
  online(): void;
  /** Hands what is typed but not yet an operation to the queue (page hidden or left). */
  flush(): void;
  /** Changes without outcome, over all open rooms. */
  pending(): number;
  /** Whether leaving now would lose something: there is a change that this browser could not keep. */
  wouldLose(): boolean;
  stop(): Promise<void>;
}

/** The indicator beside the title: my changes to this room. */
export type SaveState =
  | { readonly kind: 'connecting' }
  /** Every change is acknowledged; `at`: when the last one was, null if none in this visit. */
  | { readonly kind: 'saved'; readonly at: number | null }
  /**
   * Something has no acknowledgement yet. `quiet`: for less than 500 ms, so the words need not
   * change yet (but the tick must not be shown as if it spoke for this change).
   */
  | { readonly kind: 'saving'; readonly count: number; readonly slow: boolean; readonly quiet: boolean }
  | { readonly kind: 'offline'; readonly count: number }
  | {
      readonly kind: 'failed';
      readonly reason: 'store' | 'full' | 'refused' | 'silent';
      readonly count: number;
      /** Whether this browser keeps them meanwhile. */
      readonly keepsHere: boolean;
    };

/** One session in the room, other than this one. */
export interface Peer {
  readonly sessionId: number;
  readonly personId: string;
  readonly name: string;
  /** Has no account; the name may be empty then. */
  readonly guest: boolean;
  /** The person's colour number in this room, from 1. */
  readonly color: number;
  /** What it said by `setPresence`, or null. */
  readonly data: unknown;
}

/** One person in the room, with however many sessions. */
export interface Face {
  readonly personId: string;
  readonly name: string;
  /** Has no account; the name may be empty then. */
  readonly guest: boolean;
  readonly color: number;
  readonly me: boolean;
  /** Of others; mine without this very session. */
  readonly sessions: readonly number[];
  /** Every session of theirs says so. */
  readonly idle: boolean;
}

/** A change that will not be saved by itself; kept until retried or discarded. */
export interface TrayItem {
  readonly id: string;
  readonly reason: Fault;
  /** What the change said, as far as it can be told: inserted text; an order's line and delta. */
  readonly text: string;
  readonly madeAt: number;
  /** False for changes to content that has been replaced since (L8): copy or discard only. */
  readonly canRetry: boolean;
}

/**
 * `failed`: could not be opened now (`fault` says why), tried again by itself;
 * `gone`: not found, no access, or trashed.
 */
export type RoomPhase = 'opening' | 'ready' | 'failed' | 'gone';

export interface RoomState {
  readonly phase: RoomPhase;
  readonly fault: Fault | null;
  readonly roomId: string | null;
  readonly kind: string | null;
  readonly title: string;
  readonly right: Right;
  /** Seq of the last entry applied. */
  readonly head: number;
  readonly save: SaveState;
  /** Exact number of my changes without outcome, at once; for the title's dot. */
  readonly pending: number;
  readonly peers: readonly Peer[];
  /** By colour number; mine is flagged. */
  readonly faces: readonly Face[];
  /** My colour number; 0 before the first attach. */
  readonly color: number;
  readonly tray: readonly TrayItem[];
  /** False once this browser could not keep a change; true again when it can. */
  readonly canKeep: boolean;
  /** Changes when the replica was replaced: take `doc()` anew and mount the editor again. */
  readonly generation: number;
  /** How often a differing digest replaced the replica (R8). */
  readonly repairs: number;
}

export interface Room {
  state(): RoomState;
  subscribe(fn: () => void): () => void;
  /** Null until the first state has arrived, and for other kinds. The same object per generation. */
  doc(): DocReplica | null;
  order(): OrderReplica | null;
  inbox(): InboxReplica | null;
  /** JSON, at most 4 KiB; for documents the awareness does this. */
  setPresence(data: unknown): void;
  retryNow(): void;
  retryTrayItem(id: string): void;
  discardTrayItem(id: string): void;
  close(): void;
}

export interface DocReplica {
  readonly ydoc: Y.Doc;
  readonly generation: number;
  /**
   * Other sessions' states carry `user: {name, color, personId}` (`color` is the number),
   * `cursor` and `idle`; of the local state, `cursor` and `idle` are sent.
   */
  readonly awareness: Awareness;
  /** Makes an operation of what was typed, at once. */
  flush(): void;
  /** While true (an input method is composing) nothing is sent and remote changes wait. */
  hold(on: boolean): void;
}

/** What something that people are told of is about, as it was called then. */
export interface NoticeObject {
  readonly kind: 'room' | 'folder' | 'space';
  readonly id: string;
  readonly title: string;
}

export interface Notice {
  readonly id: number;
  /** A code of docs/protocol.md; there may be some that this version does not know. */
  readonly what: string;
  /** Null: the server. */
  readonly actor: Person | null;
  readonly object: NoticeObject | null;
  readonly params: Readonly<Record<string, string>>;
  readonly at: number;
  /** How often it happened. */
  readonly count: number;
  readonly read: boolean;
  /** What was answered; empty: nothing yet, or there is nothing to answer. */
  readonly outcome: string;
}

export interface InboxView {
  /** The newest first. */
  readonly notices: readonly Notice[];
  readonly unread: number;
}

/** Each act shows at once, and resolves at its outcome; it never rejects. */
export interface InboxReplica {
  state(): InboxView;
  subscribe(fn: () => void): () => void;
  markRead(ids: readonly number[]): Promise<OrderOutcome>;
  markUnread(ids: readonly number[]): Promise<OrderOutcome>;
  readUpTo(id: number): Promise<OrderOutcome>;
  remove(ids: readonly number[]): Promise<OrderOutcome>;
}

export type OrderOutcome = { readonly ok: true; readonly seq: number } | { readonly ok: false; readonly fault: Fault };

export interface OrderLineInput {
  readonly name: string;
  readonly priceMinor: number;
  /** null: unlimited. */
  readonly stock: number | null;
}

export interface OrderLineView extends OrderLineInput {
  readonly id: number;
  /** Confirmed, of mine. */
  readonly mine: number;
  /** Sum of my own adjusts that are not confirmed yet; not in any total. */
  readonly pendingDelta: number;
  /** Confirmed, of everybody, by person id. */
  readonly quantities: readonly { readonly personId: string; readonly count: number }[];
  /** An own edit or removal waits for its outcome. */
  readonly changing: boolean;
}

export interface OrderView {
  readonly lines: readonly OrderLineView[];
  /** Lines of mine that the server has not confirmed yet. */
  readonly adding: readonly OrderLineInput[];
  readonly totals: readonly { readonly personId: string; readonly items: number; readonly minor: number }[];
  readonly total: { readonly items: number; readonly minor: number };
  readonly status: 'open' | 'submitted' | 'closed';
  readonly statusBy: string | null;
  readonly statusAt: number | null;
  /** An own submit, reopen or close waits for its outcome. */
  readonly statusPending: boolean;
}

/** Each act resolves at its outcome, which may be long after (offline); it never rejects. */
export interface OrderReplica {
  state(): OrderView;
  subscribe(fn: () => void): () => void;
  adjust(line: number, delta: number): Promise<OrderOutcome>;
  addLine(line: OrderLineInput): Promise<OrderOutcome>;
  editLine(line: number, to: OrderLineInput): Promise<OrderOutcome>;
  removeLine(line: number): Promise<OrderOutcome>;
  submit(): Promise<OrderOutcome>;
  reopen(): Promise<OrderOutcome>;
  close(): Promise<OrderOutcome>;
}
