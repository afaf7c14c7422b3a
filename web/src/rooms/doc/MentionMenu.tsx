import { PluginKey } from '@tiptap/pm/state';
import type { Editor } from '@tiptap/react';
import { useEffect, useRef, useState } from 'react';
import { useMutation } from '@tanstack/react-query';
import { useRoomInfo } from '../../api/rooms';
import { usePeople } from '../../api/share';
import { useColleagues } from '../../api/spaces';
import { useApi } from '../../app/services';
import { useMe } from '../../app/session';
import { useWords } from '../../i18n/hooks';
import type { DocReplica, RoomState } from '../../sync';
import { Avatar } from '../../ui/Avatar';
import { useDialogs } from '../../ui/dialogs';
import type { Sounds } from '../../ui/find/match';
import { toastError } from '../../ui/toast';
import { insertMention, mentionAt, peopleFor, type At, type Candidate } from './mention';
import { useBoxAt, useMenuKeys, useSign } from './signMenu';

const KEY = new PluginKey('mentionKeys');

interface Props {
  editor: Editor;
  replica: DocReplica;
  state: RoomState;
}

/** Opens when `@` is typed, and offers people; whoever is chosen is told once that is saved. */
export function MentionMenu({ editor, replica, state }: Props) {
  const { t } = useWords();
  const show = useDialogs();
  const [at, setAt] = useState<At | null>(null);
  const [active, setActive] = useState(0);
  useSign(editor, mentionAt, setAt);
  useEffect(() => setActive(0), [at?.query, at?.from]);
  const room = state.roomId ?? '';
  const info = useRoomInfo(room).data;
  const people = useCandidates(room, info?.space?.kind === 'gallery', at !== null);
  const sounds = useSounds(at !== null);
  const tell = useTelling(room, state);
  const found = at === null || people === null ? [] : peopleFor(at.query, people, sounds);
  const chosen = Math.min(active, Math.max(0, found.length - 1));
  const mayShare = info?.right === 'manage';

  const choose = (person: Candidate | undefined) => {
    if (at === null || person === undefined) return;
    if (person.reads) {
      setAt(null);
      insertMention(editor, at, person);
      tell(person);
      replica.flush();
    } else if (mayShare && info !== undefined) {
      setAt(null);
      show({ show: 'share_room', room: info }, editor.view.dom);
    }
  };
  useMenuKeys(editor, KEY, (event) => {
    if (at === null) return false;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        const by = event.key === 'ArrowDown' ? 1 : found.length - 1;
        setActive(found.length === 0 ? 0 : (chosen + by) % found.length);
        return true;
      }
      case 'Enter':
      case 'Tab':
        if (found.length === 0) return false;
        choose(found[chosen]);
        return true;
      case 'Escape':
        setAt(null);
        return true;
      default:
        return false;
    }
  });

  const box = useBoxAt(editor, at?.from ?? null, found.length);
  // What fits nobody is prose.
  if (at === null || people === null || (found.length === 0 && at.query !== '')) return null;
  return (
    <div ref={box} className="weft-slash" data-testid="mention-menu">
      <ul role="listbox" aria-label={t('mention.menu')}>
        {found.map((person, index) => (
          <li
            key={person.id}
            role="option"
            data-person
            aria-selected={index === chosen}
            aria-disabled={(!person.reads && !mayShare) || undefined}
            data-active={index === chosen || undefined}
            onMouseDown={(event) => event.preventDefault()}
            onMouseMove={() => setActive(index)}
            onClick={() => choose(person)}
            ref={(element) => {
              if (index === chosen) element?.scrollIntoView({ block: 'nearest' });
            }}
          >
            <Avatar name={person.name} color={null} size={24} />
            <span>
              {person.name}
              {!person.reads && <small>{t('mention.cannot_open')}</small>}
            </span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p>{t('mention.none')}</p>}
      <span className="visually-hidden" role="status">
        {found[chosen]?.name ?? ''}
      </span>
    </div>
  );
}

/** Everybody but me who can open the document, and those with whom I share a space; null until they are known. */
function useCandidates(room: string, everybody: boolean, wanted: boolean): Candidate[] | null {
  const me = useMe().data?.user.id;
  const readers = usePeople(wanted ? room : '').data?.people;
  const colleagues = useColleagues(wanted);
  if (readers === undefined) return null;
  const all = new Map<string, Candidate>();
  for (const { id, username, name } of colleagues) all.set(id, { id, username, name, reads: everybody });
  for (const { id, username, name } of readers) all.set(id, { id, username, name, reads: true });
  return [...all.values()].filter(({ id }) => id !== me);
}

/** Pinyin, loaded with the first menu. */
function useSounds(wanted: boolean): Sounds | null {
  const [sounds, setSounds] = useState<Sounds | null>(null);
  useEffect(() => {
    if (!wanted) return;
    void import('../../ui/find/pinyin').then((loaded) => setSounds(() => loaded.sounds));
  }, [wanted]);
  return sounds;
}

/** Has people told that they are mentioned, once what mentions them is saved. */
function useTelling(room: string, state: RoomState): (person: Candidate) => void {
  const { t } = useWords();
  const api = useApi();
  const waiting = useRef<{ person: Candidate; id: string }[]>([]);
  const { mutate } = useMutation({
    mutationFn: ({ person, id }: { person: Candidate; id: string }) => api.mention(room, person.id, id),
    retry: 3,
    onError: (_error, { person }) => toastError(t('mention.not_told', { name: person.name })),
  });
  useEffect(() => {
    if (state.save.kind !== 'saved' || state.pending > 0) return;
    for (const mention of waiting.current.splice(0)) mutate(mention);
  }, [state, mutate]);
  return (person) => waiting.current.push({ person, id: newId() });
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
