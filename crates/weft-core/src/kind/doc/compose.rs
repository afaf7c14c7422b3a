//! Documents that the server writes: plain blocks as a Yjs update, in the shape that the web app's
//! editor reads (an XML fragment named `default` with the editor's node names).

use bytes::Bytes;
use yrs::{
    Any, Doc, Options, ReadTxn, StateVector, Transact, WriteTxn, XmlElementPrelim, XmlElementRef,
    XmlFragment, XmlTextPrelim, types::xml::Xml,
};

/// The fragment that the editor shows.
pub const FRAGMENT: &str = "default";

/// One block of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block<'a> {
    /// A heading of level 1, 2 or 3.
    Heading(u8, &'a str),
    /// A paragraph.
    Paragraph(&'a str),
    /// A task that is not done. Tasks that follow one another are one list.
    Task(&'a str),
}

/// The first operation of a document that holds these blocks, made by the Yjs client `client`
/// (below 2^53, used for nothing else: L10).
#[must_use]
pub fn compose(client: u64, blocks: &[Block<'_>]) -> Bytes {
    let doc = Doc::with_options(Options::with_client_id(yrs::ClientID::new(client)));
    let mut txn = doc.transact_mut();
    let fragment = txn.get_or_insert_xml_fragment(FRAGMENT);
    let mut tasks: Option<XmlElementRef> = None;
    for block in blocks {
        if let Block::Task(text) = block {
            let list = match tasks.take() {
                Some(list) => list,
                None => fragment.push_back(&mut txn, XmlElementPrelim::empty("taskList")),
            };
            let item = list.push_back(&mut txn, XmlElementPrelim::empty("taskItem"));
            item.insert_attribute(&mut txn, "checked", Any::Bool(false));
            let paragraph = item.push_back(&mut txn, XmlElementPrelim::empty("paragraph"));
            paragraph.push_back(&mut txn, XmlTextPrelim::new(*text));
            tasks = Some(list);
            continue;
        }
        tasks = None;
        let (name, text) = match block {
            Block::Heading(_, text) => ("heading", text),
            Block::Paragraph(text) | Block::Task(text) => ("paragraph", text),
        };
        let element = fragment.push_back(&mut txn, XmlElementPrelim::empty(name));
        if let Block::Heading(level, _) = block {
            element.insert_attribute(&mut txn, "level", Any::from(f64::from(*level)));
        }
        // Also without a text: two people who begin in one place then share what they write into.
        element.push_back(&mut txn, XmlTextPrelim::new(*text));
    }
    drop(txn);
    doc.transact().encode_state_as_update_v1(&StateVector::default()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kind::doc, machine::Machine};

    #[test]
    fn what_is_composed_is_an_operation_like_any_other() {
        let blocks = [
            Block::Heading(2, "你好"),
            Block::Task("one"),
            Block::Task("two"),
            Block::Paragraph(""),
        ];
        let update = compose(7, &blocks);
        assert!(doc::check(&update, &doc::Known::default()).is_ok());
        let doc = doc::Doc::open(&update).unwrap();
        assert_eq!(doc.text(), "你好\none\ntwo\n");
    }
}
