import { test, expect } from 'vitest';
// @ts-expect-error temporary
import { WebSocket } from 'undici';
import { createConnection } from './connection';
import { MemoryQueue } from './queue';
import type { SocketLike, Connection } from './types';
const base = '127.0.0.1:18765';
const api = async (path: string, body: unknown, token?: string): Promise<any> => (await fetch(`http://${base}/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body) })).json();
const sockets: any[] = [];
function conn(token: string, queue = new MemoryQueue(), claims: number[] = []): Connection {
  return createConnection({
    openSocket: () => {
      const ws = new WebSocket(`ws://${base}/ws?token=${token}`, 'weft.v1'); ws.binaryType = 'arraybuffer'; sockets.push(ws);
      const s: SocketLike = { send: (d) => ws.send(Uint8Array.from(d)), close: (c) => ws.close(c), onopen: null, onmessage: null, onclose: null };
      ws.onopen = () => s.onopen?.(); ws.onmessage = (e: any) => s.onmessage?.(new Uint8Array(e.data)); ws.onclose = (e: any) => s.onclose?.(e.code);
      return s;
    },
    clock: { now: Date.now, setTimeout: (f, ms) => setTimeout(f, ms), clearTimeout: (h) => clearTimeout(h as any) },
    random: Math.random, queue, claimClientIds: async () => claims, onClientIdIssued: (id) => console.log('issued', id),
  });
}
const until = async (what: () => boolean, ms = 8000): Promise<void> => { const t = Date.now(); while (!what()) { if (Date.now() - t > ms) throw new Error('timeout ' + what); await new Promise((r) => setTimeout(r, 10)); } };
test('real', async () => {
  const { token } = await api('/auth/login', { username: 'lin', password: 'password123' });
  const room = await api('/rooms', { kind: 'doc', title: 'T', key: 'smoke' + Date.now() }, token);
  const a = conn(token), b = conn(token);
  const ra = a.open(room.id), rb = b.open(room.key);
  await until(() => ra.state().phase === 'ready' && rb.state().phase === 'ready');
  expect(rb.state().roomId).toBe(room.id);
  ra.doc()!.ydoc.getText('t').insert(0, 'hello 你好');
  rb.doc()!.ydoc.getText('t').insert(0, 'B');
  await until(() => ra.doc()!.ydoc.getText('t').length === 9 && rb.doc()!.ydoc.getText('t').length === 9);
  await until(() => ra.state().save.kind === 'saved' && rb.state().save.kind === 'saved');
  ra.doc()!.ydoc.getText('t').delete(2, 3);
  await until(() => rb.state().faces[0]!.sessions.length === 1 && rb.doc()!.awareness.getStates().size === 2);
  console.log(JSON.stringify(ra.state()));
  sockets[0].close(); ra.doc()!.ydoc.getText('t').insert(0, 'offline ');
  await until(() => rb.doc()!.ydoc.getText('t').toString().includes('offline'));
  await new Promise((r) => setTimeout(r, 2600));
  console.log(JSON.stringify([ra.state().repairs, rb.state().repairs, ra.state().head, ra.state().save]));
  expect(ra.state().repairs + rb.state().repairs).toBe(0);
  // order
  const o = await api('/rooms', { kind: 'order', title: 'L' }, token);
  const oa = a.open(o.id), ob = b.open(o.id);
  await until(() => !!oa.order() && !!ob.order());
  console.log(JSON.stringify(await oa.order()!.addLine({ name: 'Tea', priceMinor: 300, stock: 2 })));
  await until(() => ob.order()!.state().lines.length === 1);
  const line = ob.order()!.state().lines[0]!.id;
  console.log(JSON.stringify(await Promise.all([ob.order()!.adjust(line, 1), oa.order()!.adjust(line, 1), oa.order()!.adjust(line, 1)])));
  await new Promise((r) => setTimeout(r, 2600));
  console.log(JSON.stringify([oa.order()!.state(), oa.state().repairs, oa.state().tray]));
  // leftovers
  const q = new MemoryQueue();
  const c = conn(token, q); const rc = c.open(room.id); await until(() => rc.state().phase === 'ready');
  sockets.at(-1).close(); await new Promise((r) => setTimeout(r, 5));
  rc.doc()!.ydoc.getText('t').insert(0, 'LEFT '); rc.doc()!.flush();
  const ids = [...(q as any)['ops'] ? [] : []]; void ids;
  await c.stop();
  const left: number[] = []; for (let i = 1; i < 50; i++) if ((await q.ops(room.id, [i])).length) left.push(i);
  console.log('left', left);
  const d = conn(token, q, left); const rd = d.open(room.id);
  await until(() => rd.state().phase === 'ready' && rd.state().save.kind === 'saved');
  expect(rd.doc()!.ydoc.getText('t').toString()).toContain('LEFT');
  await until(() => ra.doc()!.ydoc.getText('t').toString().includes('LEFT'));
  for (const x of [a, b, d]) await x.stop();
}, 40000);
