/** The indicator beside the title: what has become of my changes to this object. */
import { Button, Popover, Stack, Text, UnstyledButton } from '@mantine/core';
import {
  IconAlertTriangleFilled,
  IconCheck,
  IconCloudOff,
  IconEye,
  IconMessageCircle,
  IconPointFilled,
} from '@tabler/icons-react';
import { useWhen, useWords, type Words } from '../i18n/hooks';
import type { Right, Room, RoomState, SaveState } from '../sync';
import classes from './SaveIndicator.module.css';
import { isQuiet } from './steady';
import { Tray } from './Tray';
import { useSteady } from './useSteady';

interface Props {
  room: Room;
  state: RoomState;
  opened: boolean;
  onOpened: (opened: boolean) => void;
}

type Tone = 'calm' | 'warn' | 'bad';

interface Face {
  icon: React.ReactNode;
  /** What stands beside the icon. */
  word: string;
  /** Where there is little room. */
  short: string;
  tone: Tone;
}

export function SaveIndicator({ room, state, opened, onOpened }: Props) {
  const words = useWords();
  const shown = useSteady(state.save);
  const face = faceOf(words, shown, state);
  return (
    <Popover
      opened={opened}
      onChange={onOpened}
      position="bottom-end"
      width={340}
      trapFocus
      returnFocus
      closeOnEscape
    >
      <Popover.Target>
        <UnstyledButton
          className={classes.indicator}
          data-tone={face.tone}
          data-testid="save-state"
          data-state={isQuiet(shown) ? 'quiet' : shown.kind}
          aria-label={`${words.t('save.details')}: ${face.word}`}
          onClick={() => onOpened(!opened)}
        >
          <span className={classes.icon}>{face.icon}</span>
          <span className={classes.word}>{face.word}</span>
          <span className={classes.short}>{face.short}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={words.t('save.details')}>
        <Details room={room} state={state} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Details({ room, state }: { room: Room; state: RoomState }) {
  const { t } = useWords();
  const sentence = useSentence(state);
  const { save } = state;
  const retry = save.kind === 'offline' || save.kind === 'failed' || save.kind === 'saving';
  return (
    <Stack gap={12}>
      <Text data-autofocus tabIndex={-1} style={{ outline: 'none' }} data-testid="save-details">
        {sentence}
      </Text>
      {retry && (
        <Button variant="default" size="compact-md" onClick={() => room.retryNow()}>
          {t('action.retry')}
        </Button>
      )}
      {state.tray.length > 0 && <Tray room={room} items={state.tray} />}
      {state.head > 0 && (
        <Text fz={12} c="dimmed">
          {t('save.version', { n: state.head })}
        </Text>
      )}
    </Stack>
  );
}

/** The state in a whole sentence. */
function useSentence({ save, tray }: RoomState): string {
  const { t } = useWords();
  const when = useWhen();
  switch (save.kind) {
    case 'connecting':
      return t('save.connecting');
    case 'saved':
      if (tray.length > 0) return t('save.failed_refused', { count: tray.length });
      return save.at === null
        ? t('save.saved_tip_none')
        : t('save.saved_tip', { time: when(save.at) });
    case 'saving':
      return save.slow
        ? t('save.slow', { count: save.count })
        : t('save.waiting', { count: save.count });
    case 'offline':
      if (save.count === 0) return `${t('save.offline')}. ${t('save.offline_tip')}`;
      return t('save.offline_n', { count: save.count });
    case 'failed':
      return failedSentence(t, save, tray.length);
  }
}

type Failed = Extract<SaveState, { kind: 'failed' }>;

export function failedSentence(t: Words['t'], save: Failed, inTray: number): string {
  if (!save.keepsHere && save.count > 0) return t('save.failed_nokeep');
  switch (save.reason) {
    case 'store':
      return t('save.failed_store');
    case 'full':
      return t('save.failed_full');
    case 'refused':
      return t('save.failed_refused', { count: Math.max(1, inTray) });
    case 'silent':
      return t('save.failed_silent', { count: save.count });
  }
}

function faceOf({ t }: Words, save: SaveState, { right, phase, tray, canKeep }: RoomState): Face {
  if (tray.length > 0 || save.kind === 'failed') {
    return face(<IconAlertTriangleFilled size={16} />, t('save.failed'), 'bad');
  }
  switch (save.kind) {
    case 'offline': {
      const short = t('save.offline');
      const { count } = save;
      const key = canKeep ? 'save.offline_n' : 'save.offline_nokeep';
      return {
        icon: <IconCloudOff size={18} stroke={1.5} />,
        word: count === 0 ? short : t(key, { count }),
        short: count === 0 ? short : `${short} · ${count}`,
        tone: canKeep ? 'warn' : 'bad',
      };
    }
    case 'connecting':
      return face(<span className="ring" />, t('save.connecting'), 'calm');
    case 'saving':
      if (save.quiet) return face(<IconPointFilled size={14} />, '', 'calm');
      return {
        icon: <span className="ring" />,
        word: save.slow ? t('save.slow', { count: save.count }) : t('save.saving'),
        short: t('save.saving'),
        tone: 'calm',
      };
    case 'saved':
      return phase === 'ready' && !mayWrite(right)
        ? readOnlyFace(t, right)
        : face(<IconCheck size={18} stroke={1.5} />, t('save.saved'), 'calm');
  }
}

function face(icon: React.ReactNode, word: string, tone: Tone): Face {
  return { icon, word, short: word, tone };
}

function readOnlyFace(t: Words['t'], right: Right): Face {
  return right === 'comment'
    ? face(<IconMessageCircle size={18} stroke={1.5} />, t('room.comment_only'), 'calm')
    : face(<IconEye size={18} stroke={1.5} />, t('room.readonly'), 'calm');
}

export function mayWrite(right: Right): boolean {
  return right === 'edit' || right === 'manage';
}
