//! The text of a Yjs document: its roots in order of name, blocks joined by newlines.

use yrs::{
    Any, ArrayRef, Out, ReadTxn, Text, TextRef, Xml, XmlElementRef,
    branch::{Branch, BranchPtr},
    types::text::{Diff, YChange},
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
            Out::YText(text) => lines.push(plain(&pieces(txn, text.as_ref()))),
            Out::YXmlText(text) => lines.push(plain(&pieces(txn, text.as_ref()))),
            Out::YXmlFragment(fragment) => blocks(txn, fragment.as_ref(), &mut lines),
            Out::UndefinedRef(branch) => {
                // A root that no one has named a type for yet: blocks if it holds any, else text.
                let pieces = pieces(txn, &branch);
                if pieces.iter().any(|piece| is_node(&piece.insert)) {
                    blocks(txn, &branch, &mut lines);
                } else {
                    let text = plain(&pieces);
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

/// What a list of any type holds, values of an array apart. The library's iterators do not come to
/// an end on characters outside the first plane, which anybody can put into a list of any type.
pub fn pieces<T: ReadTxn>(txn: &T, list: &Branch) -> Vec<Diff<YChange>> {
    TextRef::from(BranchPtr::from(list)).diff(txn, YChange::identity)
}

/// The XML nodes of a list.
pub fn nodes<T: ReadTxn>(txn: &T, list: &Branch) -> Vec<Out> {
    let inserts = pieces(txn, list).into_iter().map(|piece| piece.insert);
    inserts.filter(is_node).collect()
}

/// The values of an array.
pub fn values<T: ReadTxn>(txn: &T, list: &Branch) -> Vec<Out> {
    use yrs::Array as _;
    let pieces = pieces(txn, list);
    if pieces.iter().any(|piece| text_in(piece).is_some()) {
        return pieces.into_iter().map(|piece| piece.insert).collect();
    }
    ArrayRef::from(BranchPtr::from(list)).iter(txn).collect()
}

pub const fn is_node(value: &Out) -> bool {
    matches!(value, Out::YXmlElement(_) | Out::YXmlText(_) | Out::YXmlFragment(_))
}

/// Text without the marks that it carries.
pub fn plain(pieces: &[Diff<YChange>]) -> String {
    pieces.iter().filter_map(text_in).collect()
}

fn text_in(piece: &Diff<YChange>) -> Option<&str> {
    match &piece.insert {
        Out::Any(Any::String(text)) => Some(text),
        _ => None,
    }
}

/// Somebody's name within a line, as editors of the web write it.
fn is_mention(element: &XmlElementRef) -> bool {
    element.try_tag().is_some_and(|tag| **tag == *"mention")
}

/// `@Name`; nothing if whoever wrote it gave no name.
fn mentioned<T: ReadTxn>(txn: &T, element: &XmlElementRef) -> String {
    let label = element.attributes(txn).find(|(name, _)| *name == "label");
    match label {
        Some((_, Out::Any(Any::String(name)))) => format!("@{name}"),
        _ => String::new(),
    }
}

/// One line for each innermost block; the text pieces within one block follow one another.
fn blocks<T: ReadTxn>(txn: &T, root: &Branch, lines: &mut Vec<String>) {
    enum Step {
        Visit(Out),
        EndLine,
    }
    let mut line: Option<String> = None;
    let mut steps: Vec<Step> = nodes(txn, root).into_iter().rev().map(Step::Visit).collect();
    for _ in 0..NODES_MAX {
        let Some(step) = steps.pop() else { break };
        match step {
            Step::EndLine => lines.extend(line.take()),
            Step::Visit(Out::YXmlText(text)) => {
                line.get_or_insert_default().push_str(&plain(&pieces(txn, text.as_ref())));
            }
            Step::Visit(Out::YXmlElement(element)) if is_mention(&element) => {
                line.get_or_insert_default().push_str(&mentioned(txn, &element));
            }
            Step::Visit(Out::YXmlElement(element)) => {
                let inside = nodes(txn, element.as_ref());
                if inside.is_empty() {
                    line.get_or_insert_default();
                }
                steps.push(Step::EndLine);
                steps.extend(inside.into_iter().rev().map(Step::Visit));
            }
            Step::Visit(Out::YXmlFragment(fragment)) => {
                let inside = nodes(txn, fragment.as_ref());
                steps.extend(inside.into_iter().rev().map(Step::Visit));
            }
            Step::Visit(_) => {}
        }
    }
    lines.extend(line);
}
