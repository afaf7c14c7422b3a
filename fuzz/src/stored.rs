//! What the log stores: what is read is written again as something that reads the same.

use bytes::Bytes;
use prost::Message as _;
use weft_proto::{
    log::{
        decode_batch, decode_ledger, decode_snapshot, encode_batch, encode_ledger, encode_snapshot,
    },
    wire,
};

/// A batch, a ledger or a snapshot.
pub fn log(stored: Bytes) {
    let batch = stored.get(1..).and_then(|batch| wire::Batch::decode(batch).ok());
    let first_seq = batch.and_then(|batch| batch.entries.first().map(|entry| entry.seq));
    let first_seq = first_seq.unwrap_or(1);
    if let Ok(entries) = decode_batch(first_seq, &stored) {
        assert!(entries.iter().zip(first_seq..).all(|(entry, seq)| entry.seq == seq));
        assert_eq!(decode_batch(first_seq, &encode_batch(&entries)), Ok(entries));
    }
    if let Ok(ledger) = decode_ledger(&stored) {
        for number in ledger.mark().saturating_sub(70)..=ledger.mark().saturating_add(1) {
            let _ = ledger.of(number);
        }
        assert_eq!(decode_ledger(&encode_ledger(&ledger)), Ok(ledger));
    }
    if let Ok(snapshot) = decode_snapshot(&stored) {
        assert_eq!(decode_snapshot(&encode_snapshot(&snapshot)), Ok(snapshot));
    }
}
