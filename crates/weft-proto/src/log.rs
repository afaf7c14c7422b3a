//! What the log stores: batches, ledgers, snapshots. Each behind one version byte (L7).

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use weft_core::{Body, ClientId, Entry, Fault, Ledger, Millis, PersonId, Seq, Verdict};

use crate::{FormatError, wire};

/// The version that is written. All versions up to it are read.
pub const VERSION: u8 = 1;

fn encode(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(VERSION);
    message.encode(&mut bytes).expect("the buffer grows");
    bytes.freeze()
}

fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, FormatError> {
    match bytes.first() {
        Some(&VERSION) => Ok(M::decode(bytes.slice(1..))?),
        Some(&other) => Err(FormatError::Version(other, VERSION)),
        None => Err(FormatError::Field("empty")),
    }
}

/// The bytes of a batch.
#[must_use]
pub fn encode_batch(entries: &[Arc<Entry>]) -> Bytes {
    encode(&wire::Batch { entries: entries.iter().map(|entry| entry_to_wire(entry)).collect() })
}

/// The entries of a batch, which must begin at `first_seq` and be consecutive.
///
/// # Errors
/// [`FormatError`] if these are not bytes of a batch, or the numbers are not those.
pub fn decode_batch(first_seq: Seq, bytes: &Bytes) -> Result<Vec<Arc<Entry>>, FormatError> {
    let batch: wire::Batch = decode(bytes)?;
    (first_seq..)
        .zip(batch.entries)
        .map(|(seq, entry)| match entry_from_wire(entry)? {
            entry if entry.seq == seq => Ok(Arc::new(entry)),
            _ => Err(FormatError::Field("seqs of a batch")),
        })
        .collect()
}

/// The bytes of a ledger.
#[must_use]
pub fn encode_ledger(ledger: &Ledger) -> Bytes {
    let recent = ledger.recent().map(|verdict| {
        let is = match verdict {
            Verdict::Accepted(seq) => wire::verdict::Is::Seq(*seq),
            Verdict::Refused(fault) => wire::verdict::Is::Refused(fault_to_wire(fault)),
        };
        wire::Verdict { is: Some(is) }
    });
    encode(&wire::Ledger {
        mark: ledger.mark(),
        recent: recent.collect(),
        used_at_ms: ledger.used_at(),
    })
}

/// A ledger.
///
/// # Errors
/// [`FormatError`] if these are not its bytes.
pub fn decode_ledger(bytes: &Bytes) -> Result<Ledger, FormatError> {
    let stored: wire::Ledger = decode(bytes)?;
    let recent = stored.recent.into_iter().map(|verdict| match verdict.is {
        Some(wire::verdict::Is::Seq(seq)) => Ok(Verdict::Accepted(seq)),
        Some(wire::verdict::Is::Refused(fault)) => Ok(Verdict::Refused(fault_from_wire(fault))),
        None => Err(FormatError::Field("verdict")),
    });
    let recent = recent.collect::<Result<Vec<_>, _>>()?;
    Ledger::restore(stored.mark, recent, stored.used_at_ms).ok_or(FormatError::Field("recent"))
}

/// A stored snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The seq at which the state stands.
    pub seq: Seq,
    /// The kind's state.
    pub state: Bytes,
    /// What entry 1 says: the room's kind, …
    pub kind: String,
    /// … the numbering with which it began, …
    pub epoch: u64,
    /// … and its content's lineage.
    pub lineage: u64,
}

/// The bytes of a snapshot.
#[must_use]
pub fn encode_snapshot(snapshot: &Snapshot) -> Bytes {
    let Snapshot { seq, state, kind, epoch, lineage } = snapshot;
    let created = wire::Created { kind: kind.clone(), epoch: *epoch, lineage: *lineage };
    encode(&wire::Snapshot { seq: *seq, state: state.clone(), created: Some(created) })
}

/// A snapshot.
///
/// # Errors
/// [`FormatError`] if these are not its bytes.
pub fn decode_snapshot(bytes: &Bytes) -> Result<Snapshot, FormatError> {
    let wire::Snapshot { seq, state, created } = decode(bytes)?;
    let created = created.ok_or(FormatError::Field("created"))?;
    Ok(Snapshot { seq, state, kind: created.kind, epoch: created.epoch, lineage: created.lineage })
}

pub(crate) fn entry_to_wire(entry: &Entry) -> wire::Entry {
    let body = match &entry.body {
        Body::Created { kind, epoch, lineage } => wire::entry::Body::Created(wire::Created {
            kind: kind.clone(),
            epoch: *epoch,
            lineage: *lineage,
        }),
        Body::Effect(effect) => wire::entry::Body::Effect(effect.clone()),
    };
    wire::Entry {
        seq: entry.seq,
        client_id: entry.client.0,
        client_seq: entry.client_seq,
        person_id: entry.person.map(|id| Bytes::copy_from_slice(id.as_bytes())).unwrap_or_default(),
        at_ms: entry.at,
        body: Some(body),
    }
}

pub(crate) fn entry_from_wire(entry: wire::Entry) -> Result<Entry, FormatError> {
    let body = match entry.body.ok_or(FormatError::Field("body"))? {
        wire::entry::Body::Created(created) => {
            Body::Created { kind: created.kind, epoch: created.epoch, lineage: created.lineage }
        }
        wire::entry::Body::Effect(effect) => Body::Effect(effect),
    };
    Ok(Entry {
        seq: entry.seq,
        client: ClientId(entry.client_id),
        client_seq: entry.client_seq,
        person: person_from_wire(&entry.person_id)?,
        at: entry.at_ms as Millis,
        body,
    })
}

/// A person's id; empty bytes stand for the server.
pub(crate) fn person_from_wire(bytes: &Bytes) -> Result<Option<PersonId>, FormatError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    PersonId::try_from(&bytes[..]).map(Some).map_err(|_| FormatError::Field("person_id"))
}

pub(crate) fn fault_to_wire(fault: &Fault) -> wire::Fault {
    let params = fault.params.iter().map(|(name, value)| (name.to_string(), value.clone()));
    wire::Fault { code: fault.code.to_string(), params: params.collect() }
}

pub(crate) fn fault_from_wire(fault: wire::Fault) -> Fault {
    let params = fault.params.into_iter().map(|(name, value)| (name.into(), value));
    Fault { code: fault.code.into(), params: params.collect() }
}
