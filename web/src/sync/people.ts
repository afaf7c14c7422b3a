/** Who else is in a room: sessions as the server tells them, people as the page shows them. */
import type { Face, Peer, Person } from './types';

export class People {
  #sessions = new Map<number, Peer>();
  #peers: readonly Peer[] = [];

  /** Sessions other than mine, by number; the same array until something changes. */
  peers(): readonly Peer[] {
    return this.#peers;
  }

  /** As `Attached` has it: these and no others. */
  reset(peers: readonly Peer[], mySession: number): void {
    this.#sessions.clear();
    this.change(peers, [], mySession);
  }

  change(here: readonly Peer[], left: readonly number[], mySession: number): void {
    for (const peer of here) this.#sessions.set(peer.sessionId, peer);
    for (const session of left) this.#sessions.delete(session);
    this.#sessions.delete(mySession);
    this.#peers = [...this.#sessions.values()].sort((a, b) => a.sessionId - b.sessionId);
  }
}

/** One face per person, by colour; mine is among them, whether or not another tab of mine is. */
export function faces(peers: readonly Peer[], me: Person | null, myColor: number): Face[] {
  const byPerson = new Map<string, Peer[]>();
  for (const peer of peers) {
    const sessions = byPerson.get(peer.personId);
    if (sessions) sessions.push(peer);
    else byPerson.set(peer.personId, [peer]);
  }
  const found: Face[] = [];
  if (me) {
    const others = byPerson.get(me.id) ?? [];
    byPerson.delete(me.id);
    const sessions = others.map((peer) => peer.sessionId);
    const guest = others.some((peer) => peer.guest);
    found.push({ personId: me.id, name: me.name, guest, color: myColor, me: true, sessions, idle: false });
  }
  for (const [personId, sessions] of byPerson) {
    const first = sessions[0];
    if (!first) continue;
    found.push({
      personId,
      name: first.name,
      guest: first.guest,
      color: first.color,
      me: false,
      sessions: sessions.map((peer) => peer.sessionId),
      idle: sessions.every((peer) => saysIdle(peer.data)),
    });
  }
  return found.sort((a, b) => a.color - b.color || (a.personId < b.personId ? -1 : 1));
}

function saysIdle(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'idle' in data && data.idle === true;
}
