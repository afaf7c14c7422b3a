/** “Who can open this”: the effective result, by name, with the reasons. */
import { Text } from '@mantine/core';
import { useId, useState } from 'react';
import type { GrantRight, LinkWho, Person, RoomInfo, Why } from '../api/types';
import { rightName } from '../i18n/faults';
import { useWhen, useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import classes from './Share.module.css';
import { ShareFold } from './ShareFold';

/** Whoever has the link: nobody knows how many. */
export interface WhoByLink {
  who: LinkWho;
  right: GrantRight;
}

interface Props {
  people: Person[];
  space: RoomInfo['space'];
  link: WhoByLink | null;
}

export function ShareWho({ people, space, link }: Props) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <ShareFold open={open} onToggle={() => setOpen(!open)} shows={id}>
        {t('share.who', { count: people.length })}
      </ShareFold>
      <ul id={id} className={classes.whoList} hidden={!open} data-testid="share-who">
        {people.map((person) => (
          <li key={person.id} className={classes.whoRow}>
            <span className={classes.name}>
              <Text span truncate>
                {person.name}
              </Text>
              <Reasons why={person.why} space={space} />
            </span>
            <Text span c="dimmed">
              {rightName(t, person.right)}
            </Text>
          </li>
        ))}
        {link !== null && (
          <li className={classes.whoRow}>
            <Text span className={classes.name}>
              {t(`reach.${link.who}`)}
            </Text>
            <Text span c="dimmed">
              {rightName(t, link.right)}
            </Text>
          </li>
        )}
      </ul>
    </>
  );
}

function Reasons({ why, space }: { why: Why[]; space: RoomInfo['space'] }) {
  const { t } = useWords();
  const when = useWhen();
  const say = ({ by, name, folder }: Why): string => {
    if (folder) return t('share.via_folder', { name: folder.name });
    switch (by) {
      case 'creator':
        return t('share.why_creator');
      case 'role':
        return t('share.why_role', {
          role: t(`role.${name ?? 'viewer'}`),
          name: space === null ? '' : spaceName(t, space),
        });
      case 'space_grant':
        return t('share.why_space', { name: name ?? '' });
      case 'grant':
      case 'folder':
        return t('share.why_grant');
      case 'gallery':
        return t('share.via_gallery');
      case 'link':
        return t('share.why_link');
    }
  };
  return why.map((one, index) => (
    <Text key={index} span fz={12} c="dimmed">
      {!one.expires_at
        ? say(one)
        : t('share.why_until', { why: say(one), time: when(one.expires_at) })}
    </Text>
  ));
}
