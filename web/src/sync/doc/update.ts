/** Looking into Yjs updates (v1) without applying them. */
import * as Y from 'yjs';

/** Whether everything that the update builds on is in the document. */
export function hasPredecessors(ydoc: Y.Doc, update: Uint8Array): boolean {
  const { from } = Y.parseUpdateMeta(update);
  for (const [client, clock] of from) if (clock > Y.getState(ydoc.store, client)) return false;
  return true;
}

/** The text that an update inserts, for a person to copy; best effort, never throws. */
export function insertedText(update: Uint8Array): string {
  try {
    return textOf(Y.decodeUpdate(update).structs);
  } catch {
    return '';
  }
}

function textOf(structs: readonly unknown[]): string {
  let text = '';
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue;
    if (struct.content instanceof Y.ContentString) text += struct.content.str;
    // A new block, or a type within one: text before and after it belongs to different lines.
    else if (struct.content instanceof Y.ContentType && text !== '' && !text.endsWith('\n')) text += '\n';
  }
  return text.trim();
}
