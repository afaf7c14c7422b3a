/**
 * Presence of a room as a y-protocols `Awareness`, so that editor bindings draw cursors.
 *
 * The server decides who is here and in which colour; the time-outs of the Awareness itself are
 * switched off, and its own wire format is never used.
 */
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Peer } from '../types';

/** What one session says of itself in a document. */
interface DocPresence {
  readonly clientId: number;
  readonly anchor: unknown;
  readonly head: unknown;
  readonly idle: boolean;
}

interface RemoteState {
  readonly user: { readonly name: string; readonly color: number; readonly personId: string };
  readonly cursor: { readonly anchor: unknown; readonly head: unknown } | null;
  readonly idle: boolean;
}

export class AwarenessBridge {
  readonly awareness: Awareness;
  readonly #send: (presence: DocPresence) => void;
  #remote = new Map<number, string>();
  #clock = 0;
  #sent = '';

  constructor(ydoc: Y.Doc, send: (presence: DocPresence) => void) {
    this.#send = send;
    this.awareness = new Awareness(ydoc);
    // The library forgets others after 30 s by its own clock; here the server says who is gone.
    clearInterval(this.awareness._checkInterval as ReturnType<typeof setInterval>);
    this.awareness.on('update', (_changes: unknown, origin: unknown) => {
      if (origin === 'local') this.#say();
    });
    this.#say();
  }

  peers(peers: readonly Peer[]): void {
    const next = new Map<number, string>();
    const changes = { added: [] as number[], updated: [] as number[], removed: [] as number[] };
    for (const peer of peers) {
      const said = read(peer.data);
      if (!said || said.clientId === this.awareness.clientID || next.has(said.clientId)) continue;
      const state = stateOf(peer, said);
      const text = JSON.stringify(state);
      next.set(said.clientId, text);
      const before = this.#remote.get(said.clientId);
      if (before === text) continue;
      (before === undefined ? changes.added : changes.updated).push(said.clientId);
      this.#clock += 1;
      this.awareness.states.set(said.clientId, { ...state });
      this.awareness.meta.set(said.clientId, { clock: this.#clock, lastUpdated: 0 });
    }
    for (const client of this.#remote.keys()) {
      if (next.has(client)) continue;
      changes.removed.push(client);
      this.awareness.states.delete(client);
      this.awareness.meta.delete(client);
    }
    this.#remote = next;
    if (changes.added.length + changes.updated.length + changes.removed.length === 0) return;
    this.awareness.emit('change', [changes, 'remote']);
    this.awareness.emit('update', [changes, 'remote']);
  }

  #say(): void {
    const local = this.awareness.getLocalState();
    const cursor: unknown = local?.['cursor'];
    const at = isObject(cursor) ? cursor : {};
    const presence = {
      clientId: this.awareness.clientID,
      anchor: position(at['anchor']),
      head: position(at['head']),
      idle: local?.['idle'] === true,
    };
    const text = JSON.stringify(presence);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#send(presence);
  }
}

function position(value: unknown): unknown {
  if (value instanceof Y.RelativePosition) return Y.relativePositionToJSON(value) as unknown;
  return value ?? null;
}

function read(data: unknown): DocPresence | null {
  if (!isObject(data)) return null;
  const { clientId, anchor, head, idle } = data;
  if (typeof clientId !== 'number' || !Number.isSafeInteger(clientId) || clientId < 0) return null;
  return { clientId, anchor: isPosition(anchor) ? anchor : null, head: isPosition(head) ? head : null, idle: idle === true };
}

function stateOf(peer: Peer, said: DocPresence): RemoteState {
  const { name, color, personId } = peer;
  const cursor = said.anchor !== null && said.head !== null ? { anchor: said.anchor, head: said.head } : null;
  return { user: { name, color, personId }, cursor, idle: said.idle };
}

/** Of the shape that `Y.createRelativePositionFromJSON` reads without fault. */
function isPosition(value: unknown): boolean {
  if (!isObject(value)) return false;
  const isIdOrNone = (id: unknown): boolean =>
    id === undefined || id === null || (isObject(id) && typeof id['client'] === 'number' && typeof id['clock'] === 'number');
  const { type, tname, item, assoc } = value;
  const namesSomething = isObject(type) || isObject(item) || typeof tname === 'string';
  return (
    namesSomething && isIdOrNone(type) && isIdOrNone(item) &&
    (tname === undefined || tname === null || typeof tname === 'string') &&
    (assoc === undefined || assoc === null || typeof assoc === 'number')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
