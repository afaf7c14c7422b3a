/** Code to copy, for each library that can follow a document. What people see in Weft is the fragment `default`. */
import type { GrantRight } from '../api/types';

export const LIBRARIES = ['y-websocket', 'hocuspocus', 'y-sweet', 'curl', 'server'] as const;
export type Library = (typeof LIBRARIES)[number];

export interface SnippetWish {
  /** As this browser reaches the server, such as `https://weft.example.org`. */
  origin: string;
  room: string;
  token: string;
  right: GrantRight;
  seconds: number;
  /** Comments in the person's language. */
  notes: { text: string; json: string; state: string; update: string; secret: string; name: string };
}

export function snippet(library: Library, wish: SnippetWish): string {
  const { origin, room, token, right, seconds, notes } = wish;
  const socket = origin.replace(/^http/, 'ws');
  switch (library) {
    case 'y-websocket':
      return `import * as Y from 'yjs';
import { WebsocketProvider } from 'y-websocket';

const doc = new Y.Doc();
const provider = new WebsocketProvider('${socket}/yjs', '${room}', doc, {
  params: { token: '${token}' },
});

// ${notes.text}
const content = doc.getXmlFragment('default');
`;
    case 'hocuspocus':
      return `import { HocuspocusProvider } from '@hocuspocus/provider';

const provider = new HocuspocusProvider({
  url: '${socket}/hocuspocus',
  name: '${room}',
  token: '${token}',
});

// ${notes.text}
const content = provider.document.getXmlFragment('default');
`;
    case 'y-sweet':
      return `import * as Y from 'yjs';
import { createYjsProvider } from '@y-sweet/client';

const doc = new Y.Doc();
const provider = createYjsProvider(doc, '${room}', async () => ({
  url: '${socket}/d/${room}/ws',
  baseUrl: '${origin}/d/${room}',
  docId: '${room}',
  token: '${token}',
  authorization: '${right === 'edit' ? 'full' : 'read-only'}',
}));

// ${notes.text}
const content = doc.getXmlFragment('default');
`;
    case 'curl': {
      const call = `curl -H "Authorization: Bearer $TOKEN"`;
      const at = `${origin}/api/v1/rooms/${room}`;
      const update =
        right === 'edit'
          ? `
# ${notes.update}
${call} --data-binary @update.bin ${at}/updates
`
          : '';
      return `TOKEN='${token}'

# ${notes.text}
${call} ${at}/text

# ${notes.json}
${call} ${at}/json

# ${notes.state}
${call} -o state.bin ${at}/state
${update}`;
    }
    case 'server':
      return `// ${notes.secret}
const answer = await fetch('${origin}/api/v1/room-tokens', {
  method: 'POST',
  headers: {
    authorization: \`Bearer \${process.env.WEFT_TOKEN}\`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({
    room: '${room}',
    right: '${right}',
    ttl_seconds: ${seconds},
    name: 'Ann', // ${notes.name}
  }),
});
const { token } = await answer.json();
`;
  }
}
