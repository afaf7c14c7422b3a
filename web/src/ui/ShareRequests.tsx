/** Who asks to be let in: allowed with a right, or declined. */
import { Text } from '@mantine/core';
import { useAccessRequests } from '../api/share';
import { useWhen, useWords } from '../i18n/hooks';
import { AnswerRequest } from './AnswerRequest';
import { Avatar } from './Avatar';
import classes from './Share.module.css';

export function ShareRequests({ room }: { room: string }) {
  const { t } = useWords();
  const when = useWhen();
  const requests = useAccessRequests(room, true).data ?? [];
  if (requests.length === 0) return null;
  return (
    <ul className={classes.people} aria-label={t('share.requests')} data-testid="share-requests">
      {requests.map(({ person, at }) => (
        <li key={person.id} className={classes.person} data-wraps>
          <Avatar name={person.name} color={null} size={32} />
          <span className={classes.name}>
            <Text span truncate>
              {person.name}
            </Text>
            <Text span fz={12} c="dimmed" truncate>
              {t('share.asks', { time: when(at) })}
            </Text>
          </span>
          <AnswerRequest room={room} person={person} />
        </li>
      ))}
    </ul>
  );
}
