//! What a native client holds of a room: the confirmed state, what its person sees of it, and the
//! operations that its person makes.

use bytes::Bytes;
use weft_core::{
    Body, Entry,
    kind::{doc::Doc, inbox::Inbox, order::Order},
    machine::{Digest, Machine},
};
use weft_proto::kinds;
use yrs::{GetString, Options, Text, Transact, Update, updates::decoder::Decode};

use fastrand::Rng;

use crate::ops;

/// See the module's documentation.
pub struct Replica {
    kind: &'static str,
    confirmed: Box<dyn Machine>,
    /// A document with what is not answered yet.
    view: yrs::Doc,
}

impl Replica {
    /// Nothing yet. `yjs_client` is an id that nobody has used before.
    pub fn new(kind: &'static str, yjs_client: u64) -> Self {
        let confirmed = kinds::open(kind, None).expect("the kind is known");
        Self { kind, confirmed, view: document(yjs_client) }
    }

    /// Starts anew from a state, with the operations that are not answered.
    pub fn reset<'a>(
        &mut self,
        state: &Bytes,
        unanswered: impl Iterator<Item = &'a Bytes>,
        yjs_client: u64,
    ) {
        self.confirmed = kinds::open(self.kind, Some(state)).expect("states can be read");
        self.see(unanswered, yjs_client);
    }

    /// Shows the confirmed state with the operations that are not answered.
    pub fn see<'a>(&mut self, unanswered: impl Iterator<Item = &'a Bytes>, yjs_client: u64) {
        if self.kind == Doc::NAME {
            self.view = document(yjs_client);
            merge(&self.view, &self.confirmed.snapshot());
            unanswered.for_each(|op| merge(&self.view, op));
        }
    }

    /// The next entry of the log.
    pub fn apply(&mut self, entry: &Entry) {
        if let Body::Effect(effect) = &entry.body {
            self.confirmed.apply(effect).expect("entries can be applied in order");
            if self.kind == Doc::NAME {
                merge(&self.view, effect);
            }
        }
    }

    /// What equal replicas agree on.
    pub fn digest(&self) -> Digest {
        self.confirmed.digest()
    }

    /// The person does something.
    pub fn operate(&mut self, dice: &mut Rng, head: u64) -> Bytes {
        match self.kind {
            Doc::NAME => edit(&self.view, dice),
            Order::NAME => ops::on_order(dice, head),
            Inbox::NAME => ops::on_inbox(dice, head),
            other => unreachable!("no operations of kind {other}"),
        }
    }
}

/// A document of a Yjs client.
pub fn document(yjs_client: u64) -> yrs::Doc {
    let mut options = Options::with_client_id(yrs::ClientID::new(yjs_client));
    options.offset_kind = yrs::OffsetKind::Utf16;
    yrs::Doc::with_options(options)
}

/// Takes an update in.
pub fn merge(document: &yrs::Doc, update: &[u8]) {
    let update = Update::decode_v1(update).expect("updates can be read");
    document.transact_mut().apply_update(update).expect("updates can be applied");
}

/// Whether a document has all of an update.
pub fn has(content: &dyn Machine, update: &Bytes) -> bool {
    content.merging().is_some_and(|merging| merging.is_news(update) == Ok(false))
}

/// Types some letters somewhere, or deletes some.
pub fn edit(document: &yrs::Doc, dice: &mut Rng) -> Bytes {
    let text = document.get_or_insert_text("t");
    let mut transaction = document.transact_mut();
    let letters = text.get_string(&transaction).len() as u64;
    if letters > 4 && dice.u64(..100) < 30 {
        let at = dice.u64(0..letters - 2);
        text.remove_range(&mut transaction, at as u32, dice.u64(1..3) as u32);
    } else {
        let word = ["a", "bc", "def"][dice.usize(..3)];
        text.insert(&mut transaction, dice.u64(0..letters + 1) as u32, word);
    }
    transaction.encode_update_v1().into()
}
