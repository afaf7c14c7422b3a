/** One notice: who did what, when, and the answer that it may wait for. */
import { Button, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconCheck, IconMail, IconTrash } from '@tabler/icons-react';
import { useRouter, type NavigateOptions } from '@tanstack/react-router';
import { useState } from 'react';
import { useSpaceActs } from '../api/spaces';
import { useWhen, useWords } from '../i18n/hooks';
import type { InboxReplica, Notice } from '../sync';
import { AnswerRequest } from '../ui/AnswerRequest';
import answering from '../ui/AnswerRequest.module.css';
import { Avatar } from '../ui/Avatar';
import { MoreButton } from '../ui/MoreButton';
import classes from './List.module.css';
import type { NoticeWords } from './notices';

interface Props {
  notice: Notice;
  words: NoticeWords;
  acts: InboxReplica;
  onOpen: (to: NavigateOptions) => void;
}

export function NoticeRow({ notice, words, acts, onOpen }: Props) {
  const { t, full } = useWords();
  const when = useWhen();
  const router = useRouter();
  const { text, hint, to } = words;
  const toggle = () => void (notice.read ? acts.markUnread([notice.id]) : acts.markRead([notice.id]));
  const body = (
    <>
      <span className={classes.dot} data-unread={!notice.read || undefined}>
        {!notice.read && <span className="visually-hidden">{t('inbox.new')}</span>}
      </span>
      <Avatar name={notice.actor?.name ?? 'Weft'} color={null} size={32} />
      <span className={classes.trashText}>
        <span className={classes.noticeText}>{text}</span>
        <Text span c="dimmed" fz={12}>
          {hint !== '' && <>{hint} · </>}
          <span title={full(notice.at)}>{when(notice.at)}</span>
        </Text>
      </span>
    </>
  );
  return (
    <li className={classes.notice} data-notice={notice.id} data-unread={!notice.read || undefined}>
      {to === null ? (
        <UnstyledButton className={classes.noticeOpen} data-open onClick={() => !notice.read && toggle()}>
          {body}
        </UnstyledButton>
      ) : (
        <a
          href={router.buildLocation(to).href}
          className={classes.noticeOpen}
          data-open
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            onOpen(to);
          }}
        >
          {body}
        </a>
      )}
      <Answer notice={notice} />
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <MoreButton name={text} />
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={
              notice.read ? <IconMail size={18} stroke={1.5} /> : <IconCheck size={18} stroke={1.5} />
            }
            onClick={toggle}
          >
            {notice.read ? t('inbox.mark_unread') : t('inbox.mark_read')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconTrash size={18} stroke={1.5} />}
            onClick={() => void acts.remove([notice.id])}
          >
            {t('action.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

/** Buttons for what waits for an answer; whoever answers it elsewhere takes them away. */
function Answer({ notice }: { notice: Notice }) {
  const { object, actor } = notice;
  if (notice.outcome !== '' || object === null) return null;
  if (notice.what === 'space.invited') return <AnswerInvitation space={object.id} />;
  if (notice.what === 'access.asked' && actor !== null) {
    return <AnswerRequest room={object.id} person={actor} />;
  }
  return null;
}

function AnswerInvitation({ space }: { space: string }) {
  const { t } = useWords();
  const { answer } = useSpaceActs();
  const [busy, setBusy] = useState(false);
  const say = async (agree: boolean) => {
    setBusy(true);
    await answer(space, agree);
    setBusy(false);
  };
  return (
    <span className={answering.answer}>
      <Button variant="default" disabled={busy} onClick={() => void say(false)}>
        {t('action.decline')}
      </Button>
      <Button disabled={busy} onClick={() => void say(true)}>
        {t('action.agree')}
      </Button>
    </span>
  );
}
