/** Snippets have the right addresses and no more power than was chosen. */
import { expect, test } from 'vitest';
import { LIBRARIES, snippet, type SnippetWish } from './snippets';

const wish: SnippetWish = {
  origin: 'https://weft.example.org',
  room: 'room1',
  token: 'weft_room_x',
  right: 'edit',
  seconds: 3600,
  notes: { text: 'T', json: 'J', state: 'S', update: 'U', secret: 'K', name: 'N' },
};

test('sockets are encrypted where pages are', () => {
  expect(snippet('y-websocket', wish)).toContain("'wss://weft.example.org/yjs', 'room1'");
  expect(snippet('hocuspocus', wish)).toContain("'wss://weft.example.org/hocuspocus'");
  expect(snippet('y-sweet', wish)).toContain("'wss://weft.example.org/d/room1/ws'");
  const plain = { ...wish, origin: 'http://127.0.0.1:8080' };
  expect(snippet('y-websocket', plain)).toContain("'ws://127.0.0.1:8080/yjs'");
});

test('who may only read is not told how to write', () => {
  expect(snippet('curl', wish)).toContain('/updates');
  expect(snippet('curl', { ...wish, right: 'read' })).not.toContain('/updates');
  expect(snippet('y-sweet', { ...wish, right: 'read' })).toContain("'read-only'");
  expect(snippet('server', { ...wish, right: 'read' })).toContain("right: 'read'");
});

test('the token is where it is needed, and not in code for servers', () => {
  const holding = LIBRARIES.filter((library) => snippet(library, wish).includes(wish.token));
  expect(holding).toEqual(['y-websocket', 'hocuspocus', 'y-sweet', 'curl']);
});
