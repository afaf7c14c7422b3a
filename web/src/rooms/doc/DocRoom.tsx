/** A document: rich text on a Yjs replica, with toolbar, `/` menu and other people's cursors. */
import './doc.css';
import { getSchema } from '@tiptap/core';
import { Collaboration } from '@tiptap/extension-collaboration';
import { Placeholder } from '@tiptap/extensions';
import { useLocation } from '@tanstack/react-router';
import { Editor, EditorContent } from '@tiptap/react';
import { useEffect, useRef, useState } from 'react';
import { useIsGuest } from '../../app/guest';
import { mayWrite } from '../../frame/SaveIndicator';
import frame from '../../frame/Frame.module.css';
import { useWords } from '../../i18n/hooks';
import type { DocReplica, RoomState } from '../../sync';
import { Button } from '@mantine/core';
import { isMod } from '../../ui/shortcut';
import { Carets } from './carets';
import { HoldWhileComposing } from './composition';
import { cutOff } from './cutOff';
import { FRAGMENT, foreignIn, readableContent, watchForeign } from './foreign';
import { DocKeys } from './keys';
import { LinkField } from './LinkField';
import { isLinkTarget } from './links';
import { MentionMenu } from './MentionMenu';
import { schemaExtensions } from './schema';
import { SlashMenu } from './SlashMenu';
import { TextsInBlocks } from './texts';
import { Toolbar } from './Toolbar';
import { useIdle } from './useIdle';
import { useKeyboardInset } from './useKeyboardInset';

interface Props {
  replica: DocReplica;
  state: RoomState;
  title: string;
}

export default function DocRoom({ replica, state, title }: Props) {
  const guard = useForeignGuard(replica);
  useIdle(replica.awareness);
  return (
    <>
      <h1 className="weft-print-title">{title}</h1>
      {guard.foreign ? (
        <ForeignDoc replica={replica} />
      ) : (
        <DocEditor replica={replica} state={state} writable={mayWrite(state.right)} onEditor={guard.onEditor} />
      )}
    </>
  );
}

/**
 * Keeps the editor away from content that it does not know: it would delete that for everybody.
 * The watch begins before there is an editor, and cuts the editor off before it sees the change.
 */
function useForeignGuard(replica: DocReplica) {
  const editor = useRef<Editor | null>(null);
  const [guard] = useState(() => {
    const schema = getSchema(schemaExtensions({ tick: '' }));
    const state = { found: foreignIn(replica.ydoc.getXmlFragment(FRAGMENT), schema), say: noop };
    const stop = watchForeign(replica.ydoc, schema, (name) => {
      if (editor.current !== null) cutOff(editor.current);
      state.found = name;
      state.say();
    });
    return { state, stop };
  });
  const [foreign, setForeign] = useState(guard.state.found !== null);
  useEffect(() => {
    guard.state.say = () => setForeign(true);
    if (guard.state.found !== null) setForeign(true);
    return () => {
      guard.state.say = noop;
      guard.stop();
    };
  }, [guard]);
  const [onEditor] = useState(() => (made: Editor | null) => {
    editor.current = made;
  });
  return { foreign, onEditor };
}

function noop(): void {}

interface EditorProps {
  replica: DocReplica;
  state: RoomState;
  writable: boolean;
  onEditor: (editor: Editor | null) => void;
}

/** An editor that lives exactly as long as the component is there. */
function useOwnEditor(make: () => Editor): Editor | null {
  const [editor, setEditor] = useState<Editor | null>(null);
  const latest = useRef(make);
  useEffect(() => {
    const made = latest.current();
    setEditor(made);
    return () => {
      setEditor(null);
      made.destroy();
    };
  }, []);
  return editor;
}

function DocEditor(props: EditorProps) {
  const { replica, writable } = props;
  const { t } = useWords();
  const [linking, setLinking] = useState(false);
  const words = useRef(t);
  words.current = t;
  const editor = useOwnEditor(
    () =>
      new Editor({
        extensions: [
          ...schemaExtensions({ tick: words.current('doc.task_tick') }),
          Collaboration.configure({ document: replica.ydoc, field: FRAGMENT }),
          TextsInBlocks,
          Carets.configure({ awareness: replica.awareness }),
          HoldWhileComposing.configure({ replica }),
          Placeholder.configure({ placeholder: () => words.current('doc.placeholder') }),
          DocKeys.configure({ onLink: () => (setLinking(true), true) }),
        ],
        editable: writable,
        editorProps: {
          attributes: {
            class: 'weft-text',
            role: 'textbox',
            'aria-multiline': 'true',
            'data-content-focus': '',
            'data-testid': 'doc-body',
          },
          handleClick: (view, _pos, event) => openLink(event, view.editable),
        },
      }),
  );
  if (editor === null) return <div className="weft-doc" />;
  return <Surface {...props} editor={editor} linking={linking} onLinking={setLinking} />;
}

interface SurfaceProps extends EditorProps {
  editor: Editor;
  linking: boolean;
  onLinking: (linking: boolean) => void;
}

function Surface({ editor, replica, state, writable, onEditor, linking, onLinking }: SurfaceProps) {
  const { t } = useWords();
  const isGuest = useIsGuest();
  useEffect(() => {
    onEditor(editor);
    return () => onEditor(null);
  }, [editor, onEditor]);
  useEffect(() => {
    if (editor !== null && editor.isEditable !== writable) editor.setEditable(writable);
  }, [editor, writable]);
  const caret = useLocation({ select: ({ state }) => state.caret === true });
  useEffect(() => {
    if (caret && writable) editor.commands.focus('end', { scrollIntoView: false });
  }, [editor, caret, writable]);
  useLabel(editor, t('doc.body'), writable);
  useKeyboardInset();
  if (editor === null) return null;

  return (
    <>
      {writable && <Toolbar editor={editor} onLink={() => onLinking(true)} />}
      <div className="weft-doc" onMouseDown={(event) => caretAtEnd(event, editor)}>
        <EditorContent editor={editor} />
      </div>
      {writable && (
        <>
          <SlashMenu editor={editor} />
          {!isGuest && <MentionMenu editor={editor} replica={replica} state={state} />}
          <LinkField editor={editor} opened={linking} onClose={() => onLinking(false)} />
        </>
      )}
    </>
  );
}

/** The name follows the language; a text that cannot be written in is still to be read. */
function useLabel(editor: Editor | null, label: string, writable: boolean): void {
  useEffect(() => {
    if (editor === null || editor.isDestroyed) return;
    const { dom } = editor.view;
    dom.setAttribute('aria-label', label);
    dom.setAttribute('aria-readonly', String(!writable));
    if (writable) dom.removeAttribute('tabindex');
    else dom.tabIndex = 0;
  });
}

/** Where one only reads a click follows a link; where one writes, Ctrl and a click. */
function openLink(event: MouseEvent, editable: boolean): boolean {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const href = link?.getAttribute('href');
  if (href === null || href === undefined || (editable && !isMod(event))) return false;
  if (!isLinkTarget(href)) return true;
  window.open(href, '_blank', 'noopener,noreferrer');
  event.preventDefault();
  return true;
}

/** A press in the empty space under the text puts the caret at its end. */
function caretAtEnd(event: React.MouseEvent, editor: Editor): void {
  if (event.target !== event.currentTarget || !editor.isEditable) return;
  event.preventDefault();
  editor.commands.focus('end');
}

const REDRAW_MS = 500;

/** Read-only, from a copy that nobody else sees, with the reason. */
function ForeignDoc({ replica }: { replica: DocReplica }) {
  const { t } = useWords();
  const editor = useOwnEditor(
    () =>
      new Editor({
        extensions: schemaExtensions({ tick: '' }),
        editable: false,
        editorProps: { attributes: { class: 'weft-text', 'data-testid': 'doc-body' } },
      }),
  );
  useEffect(() => {
    if (editor === null) return;
    const fragment = replica.ydoc.getXmlFragment(FRAGMENT);
    const draw = () => editor.commands.setContent(readableContent(fragment, editor.schema));
    let timer: ReturnType<typeof setTimeout> | null = null;
    const later = () => {
      timer ??= setTimeout(() => {
        timer = null;
        draw();
      }, REDRAW_MS);
    };
    draw();
    replica.ydoc.on('update', later);
    return () => {
      replica.ydoc.off('update', later);
      if (timer !== null) clearTimeout(timer);
    };
  }, [editor, replica]);
  return (
    <>
      <div className={`${frame.banner} no-print`} data-tone="warn" role="status" data-testid="foreign-notice">
        <span>{t('doc.unknown_nodes')}</span>
        <Button size="compact-sm" variant="default" onClick={() => window.location.reload()}>
          {t('action.reload')}
        </Button>
      </div>
      <div className="weft-doc">
        <EditorContent editor={editor} />
      </div>
    </>
  );
}
