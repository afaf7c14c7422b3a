//! The content of a Yjs document as JSON: for each root what `toJSON` of Yjs gives, and for XML the
//! document of ProseMirror and Tiptap, as y-prosemirror reads it.
//!
//! Walks without recursion, however deep types are nested; only values within one item, whose depth
//! the checker bounds, are written recursively. Keys are in order: same input, same bytes.

use yrs::{
    Any, Map, MapRef, Number, Out, ReadTxn, Xml, XmlElementRef, XmlTextRef,
    branch::{Branch, BranchPtr},
    types::{Attrs, text::Diff},
};

use super::text::{is_node, nodes, pieces, plain, values};

/// The content takes more bytes than were asked for at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content is too large")]
pub struct TooLarge;

/// See [`super::Doc::json`].
pub fn json_of<T: ReadTxn>(
    txn: &T,
    fragment: Option<&str>,
    bytes_max: usize,
) -> Result<String, TooLarge> {
    let mut writer = Writer { txn, out: String::new(), steps: Vec::new() };
    match fragment {
        None => {
            let mut roots: Vec<_> = txn.root_refs().collect();
            roots.sort_by_key(|(name, _)| *name);
            writer.object(roots.into_iter().map(|(name, root)| (name.to_owned(), root)).collect());
        }
        Some(name) => {
            let root = txn.root_refs().find(|(root, _)| *root == name).map(|(_, root)| root);
            let branch = root.as_ref().and_then(branch_of);
            writer.document(branch.map(|branch| nodes(txn, &branch)).unwrap_or_default());
        }
    }
    while let Some(step) = writer.steps.pop() {
        writer.step(step);
        if writer.out.len() > bytes_max {
            return Err(TooLarge);
        }
    }
    Ok(writer.out)
}

/// What remains to be written.
enum Step {
    Value(Out),
    /// A value within a ProseMirror document: text there becomes text nodes.
    Node(Out),
    Key(String),
    BeginText,
    EndText(Option<Box<Attrs>>),
    Raw(&'static str),
}

struct Writer<'a, T> {
    txn: &'a T,
    out: String,
    /// The next one last.
    steps: Vec<Step>,
}

impl<T: ReadTxn> Writer<'_, T> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Raw(text) => self.out.push_str(text),
            Step::Key(name) => self.key(&name),
            Step::BeginText => {
                self.comma();
                self.out.push_str("{\"type\":\"text\",\"text\":");
            }
            Step::EndText(attributes) => self.end_text(attributes),
            Step::Value(value) => self.value(value),
            Step::Node(Out::YXmlText(text)) => self.text_nodes(&text),
            Step::Node(value) => self.value(value),
        }
    }

    fn value(&mut self, value: Out) {
        match value {
            Out::Any(any) => {
                self.comma();
                write_any(&mut self.out, &any);
            }
            Out::YText(text) => self.string(&plain(&pieces(self.txn, text.as_ref()))),
            Out::YXmlText(text) => self.string(&plain(&pieces(self.txn, text.as_ref()))),
            Out::YArray(array) => self.array(values(self.txn, array.as_ref())),
            Out::YMap(map) => {
                let entries = map.iter(self.txn);
                self.object(entries.map(|(key, value)| (key.to_owned(), value)).collect());
            }
            Out::YXmlElement(element) => self.element(&element),
            Out::YXmlFragment(fragment) => self.document(nodes(self.txn, fragment.as_ref())),
            Out::YDoc(subdocument) => {
                self.comma();
                self.out.push_str("{\"guid\":");
                write_string(&mut self.out, subdocument.guid().as_ref());
                self.out.push('}');
            }
            Out::UndefinedRef(branch) => self.untyped(branch),
        }
    }

    /// A root that no one has named a type for.
    fn untyped(&mut self, branch: BranchPtr) {
        let pieces = pieces(self.txn, &branch);
        if pieces.iter().any(|piece| is_node(&piece.insert)) {
            return self.document(nodes(self.txn, &branch));
        }
        if pieces.iter().any(|piece| matches!(piece.insert, Out::Any(_))) {
            return self.string(&plain(&pieces));
        }
        let values = values(self.txn, &branch);
        if !values.is_empty() {
            return self.array(values);
        }
        let map = MapRef::from(branch);
        let entries: Vec<_> =
            map.iter(self.txn).map(|(key, value)| (key.to_owned(), value)).collect();
        if entries.is_empty() {
            self.comma();
            self.out.push_str("null");
        } else {
            self.object(entries);
        }
    }

    fn array(&mut self, values: Vec<Out>) {
        self.comma();
        self.out.push('[');
        self.steps.push(Step::Raw("]"));
        self.steps.extend(values.into_iter().rev().map(Step::Value));
    }

    fn object(&mut self, mut entries: Vec<(String, Out)>) {
        self.comma();
        self.out.push('{');
        self.steps.push(Step::Raw("}"));
        entries.retain(|(_, value)| !matches!(value, Out::Any(Any::Undefined)));
        entries.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (key, value) in entries {
            self.steps.extend([Step::Value(value), Step::Key(key)]);
        }
    }

    fn document(&mut self, nodes: Vec<Out>) {
        self.comma();
        self.out.push_str("{\"type\":\"doc\",\"content\":[");
        self.steps.push(Step::Raw("]}"));
        self.steps.extend(nodes.into_iter().rev().map(Step::Node));
    }

    fn element(&mut self, element: &XmlElementRef) {
        self.comma();
        self.out.push_str("{\"type\":");
        write_string(&mut self.out, element.try_tag().map_or("", |tag| tag));
        self.steps.push(Step::Raw("}"));
        let inside = nodes(self.txn, element.as_ref());
        if !inside.is_empty() {
            self.steps.push(Step::Raw("]"));
            self.steps.extend(inside.into_iter().rev().map(Step::Node));
            self.steps.push(Step::Raw(",\"content\":["));
        }
        let attributes: Vec<_> =
            element.attributes(self.txn).map(|(name, value)| (name.to_owned(), value)).collect();
        if !attributes.is_empty() {
            self.key("attrs");
            self.object(attributes);
        }
    }

    /// A text node for each piece with marks of its own.
    fn text_nodes(&mut self, text: &XmlTextRef) {
        let pieces = pieces(self.txn, text.as_ref());
        for Diff { insert, attributes, .. } in pieces.into_iter().rev() {
            // Written only when it is their turn: many pieces can share marks that are long.
            self.steps.extend([Step::EndText(attributes), Step::Value(insert), Step::BeginText]);
        }
    }

    fn end_text(&mut self, attributes: Option<Box<Attrs>>) {
        if let Some(attributes) = attributes {
            let mut marks: Vec<_> = attributes.iter().collect();
            marks.sort_by_key(|(name, _)| *name);
            self.key("marks");
            self.out.push('[');
            for (name, value) in marks {
                self.comma();
                self.out.push_str("{\"type\":");
                write_string(&mut self.out, mark_name(name));
                self.out.push_str(",\"attrs\":");
                write_any(&mut self.out, value);
                self.out.push('}');
            }
            self.out.push(']');
        }
        self.out.push('}');
    }

    fn string(&mut self, text: &str) {
        self.comma();
        write_string(&mut self.out, text);
    }

    fn key(&mut self, name: &str) {
        self.comma();
        write_string(&mut self.out, name);
        self.out.push(':');
    }

    fn comma(&mut self) {
        comma(&mut self.out);
    }
}

/// Nothing goes before the first of an array or object, and before a key's value.
fn comma(out: &mut String) {
    if !matches!(out.as_bytes().last(), None | Some(b'[' | b'{' | b':')) {
        out.push(',');
    }
}

fn branch_of(root: &Out) -> Option<BranchPtr> {
    match root {
        Out::UndefinedRef(branch) => Some(*branch),
        Out::YXmlFragment(fragment) => {
            let branch: &Branch = fragment.as_ref();
            Some(BranchPtr::from(branch))
        }
        _ => None,
    }
}

/// Marks of which a text may carry several of one type have a hash after their name.
fn mark_name(name: &str) -> &str {
    let is_hash = |hash: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        hash.len() == 8 && hash.bytes().all(letter)
    };
    name.rsplit_once("--").filter(|(_, hash)| is_hash(hash)).map_or(name, |(name, _)| name)
}

fn write_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Numbers as JavaScript writes them, bytes as an array of numbers.
fn write_any(out: &mut String, any: &Any) {
    match any {
        Any::Null | Any::Undefined => out.push_str("null"),
        Any::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Any::Number(Number::Int(value)) => out.push_str(&value.to_string()),
        Any::Number(Number::Float(value)) => match Number::try_i64(*value) {
            Number::Int(value) => out.push_str(&value.to_string()),
            // What is no number is null, as in JavaScript.
            Number::Float(value) => out.push_str(&serde_json::Value::from(value).to_string()),
        },
        Any::String(text) => write_string(out, text),
        Any::Buffer(bytes) => {
            out.push('[');
            for byte in bytes.iter() {
                comma(out);
                out.push_str(&byte.to_string());
            }
            out.push(']');
        }
        Any::Array(values) => {
            out.push('[');
            for value in values.iter() {
                comma(out);
                write_any(out, value);
            }
            out.push(']');
        }
        Any::Map(entries) => {
            let is_said = |(_, value): &(_, &Any)| !matches!(value, Any::Undefined);
            let mut entries: Vec<_> = entries.iter().filter(is_said).collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in entries {
                comma(out);
                write_string(out, key);
                out.push(':');
                write_any(out, value);
            }
            out.push('}');
        }
    }
}
