/** Lets somebody into a room who asked for it, or declines. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import { asApiError } from '../api/client';
import { useAnswerRequest } from '../api/share';
import type { GrantRight } from '../api/types';
import { useWords } from '../i18n/hooks';
import classes from './AnswerRequest.module.css';
import { RightSelect } from './RightSelect';
import { toastError } from './toast';

export function AnswerRequest({ room, person }: { room: string; person: { id: string; name: string } }) {
  const { t, fault } = useWords();
  const { mutate, isPending } = useAnswerRequest();
  const [right, setRight] = useState<GrantRight>('read');
  const say = (allow: GrantRight | null) =>
    mutate(
      { room, person: person.id, allow },
      {
        onError: (error) => {
          const refused = asApiError(error);
          toastError(refused.code === 'not_found' ? t('inbox.answered') : fault(refused));
        },
      },
    );
  return (
    <span className={classes.answer}>
      <RightSelect
        aria-label={t('share.right_of', { name: person.name })}
        value={right}
        onChange={setRight}
      />
      <Button variant="default" disabled={isPending} onClick={() => say(null)}>
        {t('action.decline')}
      </Button>
      <Button disabled={isPending} onClick={() => say(right)}>
        {t('inbox.allow')}
      </Button>
    </span>
  );
}
