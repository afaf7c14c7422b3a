import { IconFolder, IconFolderOpen } from '@tabler/icons-react';
import { KindIcon, SpaceIcon } from '../KindIcon';
import type { Node } from './rows';

/** Decoration beside the name of a row. */
export function NodeIcon({ node, open }: { node: Exclude<Node, { kind: 'starred' }>; open: boolean }) {
  switch (node.kind) {
    case 'space':
      return <SpaceIcon space={node.space} />;
    case 'room':
      return <KindIcon kind={node.room.kind} />;
    case 'folder': {
      const Icon = open ? IconFolderOpen : IconFolder;
      return <Icon size={18} stroke={1.5} style={{ flex: 'none' }} aria-hidden="true" />;
    }
  }
}
