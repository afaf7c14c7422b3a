//! The text of a Yjs document: its roots in order of name, blocks joined by newlines.

use yrs::{
    Any, Array, ArrayRef, Out, ReadTxn, Text, TextRef, XmlFragment, XmlFragmentRef, XmlOut,
    types::text::YChange,
};

/// Nodes that are walked at most: a bound on work, far above what people write.
const NODES_MAX: usize = 1_000_000;

/// All text of the document.
pub fn text_of<T: ReadTxn>(txn: &T) -> String {
    let mut roots: Vec<_> = txn.root_refs().collect();
    roots.sort_by_key(|(name, _)| *name);
    let mut lines = Vec::new();
    for (_, root) in roots {
        match root {
            Out::YText(text) => lines.push(plain(txn, &text)),
            Out::YXmlText(text) => lines.push(plain(txn, &text)),
            Out::YXmlFragment(fragment) => blocks(txn, &fragment, &mut lines),
            Out::UndefinedRef(branch) => {
                // A root that no one has named a type for yet: blocks if it holds any, else text.
                let list = ArrayRef::from(branch);
                let has_blocks = list.iter(txn).any(|item| {
                    matches!(item, Out::YXmlElement(_) | Out::YXmlText(_) | Out::YXmlFragment(_))
                });
                if has_blocks {
                    blocks(txn, &XmlFragmentRef::from(branch), &mut lines);
                } else {
                    let text = plain(txn, &TextRef::from(branch));
                    if !text.is_empty() {
                        lines.push(text);
                    }
                }
            }
            _ => {}
        }
    }
    lines.join("\n")
}

/// Text without the marks that it carries.
fn plain<T: ReadTxn, X: Text>(txn: &T, text: &X) -> String {
    text.diff(txn, YChange::identity)
        .into_iter()
        .filter_map(|piece| match piece.insert {
            Out::Any(Any::String(string)) => Some(string.to_string()),
            _ => None,
        })
        .collect()
}

/// One line for each innermost block; the text pieces within one block follow one another.
fn blocks<T: ReadTxn, F: XmlFragment>(txn: &T, root: &F, lines: &mut Vec<String>) {
    enum Step {
        Visit(XmlOut),
        EndLine,
    }
    let mut line: Option<String> = None;
    let mut steps: Vec<Step> =
        root.children(txn).collect::<Vec<_>>().into_iter().rev().map(Step::Visit).collect();
    for _ in 0..NODES_MAX {
        let Some(step) = steps.pop() else { break };
        match step {
            Step::EndLine => lines.extend(line.take()),
            Step::Visit(XmlOut::Text(text)) => {
                line.get_or_insert_default().push_str(&plain(txn, &text));
            }
            Step::Visit(XmlOut::Element(element)) => {
                let inside: Vec<_> = element.children(txn).collect();
                if inside.is_empty() {
                    line.get_or_insert_default();
                }
                steps.push(Step::EndLine);
                steps.extend(inside.into_iter().rev().map(Step::Visit));
            }
            Step::Visit(XmlOut::Fragment(fragment)) => {
                let inside: Vec<_> = fragment.children(txn).collect();
                steps.extend(inside.into_iter().rev().map(Step::Visit));
            }
        }
    }
    lines.extend(line);
}
