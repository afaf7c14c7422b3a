import { Popover, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useWords, type Words } from '../i18n/hooks';
import type { Face } from '../sync';
import { Avatar } from '../ui/Avatar';
import { PHONE, useMediaFlag } from '../ui/useMediaFlag';
import classes from './Faces.module.css';

const FACES_DESKTOP = 5;
const FACES_PHONE = 3;

/** Who is here: one avatar per person, then `+n` with the full list. */
export function Faces({ faces }: { faces: readonly Face[] }) {
  const { t } = useWords();
  const phone = useMediaFlag(PHONE);
  const most = phone ? FACES_PHONE : FACES_DESKTOP;
  const shown = faces.slice(0, most);
  const more = faces.length - shown.length;
  const label = t('presence.here', { count: faces.length });
  return (
    <div className={classes.faces}>
      <ul className={classes.row} aria-label={label} data-testid="faces">
        {shown.map((face) => (
          <li key={face.personId}>
            <Tooltip label={faceName(t, face)}>
              <span className={classes.face}>
                <Avatar
                  name={face.name || t('presence.guest')}
                  person={face.personId}
                  color={face.color}
                  idle={face.idle}
                />
                <span className="visually-hidden">{faceName(t, face)}</span>
              </span>
            </Tooltip>
          </li>
        ))}
      </ul>
      {more > 0 && <MoreFaces faces={faces} more={more} />}
      <JoinedAndLeft faces={faces} />
    </div>
  );
}

function faceName(t: Words['t'], face: Face): string {
  const name = calledName(t, face);
  if (face.me) return t('presence.you', { name });
  return face.idle ? t('presence.idle', { name }) : name;
}

/** Guests are told apart from people with an account; some have given no name. */
function calledName(t: Words['t'], { name, guest }: Face): string {
  if (name === '') return t('presence.guest');
  return guest ? t('presence.guest_name', { name }) : name;
}

function MoreFaces({ faces, more }: { faces: readonly Face[]; more: number }) {
  const { t } = useWords();
  return (
    <Popover position="bottom-end" width={240} trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.more} aria-label={t('presence.more', { count: more })}>
          +{more > 99 ? '99+' : more}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('presence.list')}>
        <Text fw={600} mb={8} data-autofocus tabIndex={-1} style={{ outline: 'none' }}>
          {t('presence.here', { count: faces.length })}
        </Text>
        <ul className={classes.list}>
          {faces.map((face) => (
            <li key={face.personId}>
              <Avatar
                name={face.name || t('presence.guest')}
                person={face.personId}
                color={face.color}
                idle={face.idle}
              />
              <Text span truncate>
                {faceName(t, face)}
              </Text>
            </li>
          ))}
        </ul>
      </Popover.Dropdown>
    </Popover>
  );
}

const ANNOUNCE_EVERY_MS = 10_000;

/** Tells screen readers who came and went, gathered and at most every ten seconds. */
function JoinedAndLeft({ faces }: { faces: readonly Face[] }) {
  const { t } = useWords();
  const [said, setSaid] = useState('');
  const present = useRef(faces);
  present.current = faces;
  const heard = useRef<Map<string, string> | null>(null);
  useEffect(() => {
    const timer = setInterval(() => {
      const now = new Map(
        present.current.filter(({ me }) => !me).map((face) => [face.personId, calledName(t, face)]),
      );
      const before = heard.current ?? now;
      heard.current = now;
      const joined = [...now].filter(([id]) => !before.has(id));
      const left = [...before].filter(([id]) => !now.has(id));
      const news = [
        ...joined.map(([, name]) => t('presence.joined', { name })),
        ...left.map(([, name]) => t('presence.left', { name })),
      ];
      if (news.length > 0) setSaid(news.join(' '));
    }, ANNOUNCE_EVERY_MS);
    return () => clearInterval(timer);
  }, [t]);
  return (
    <span className="visually-hidden" role="status">
      {said}
    </span>
  );
}
