//! A segment: consecutive batches of one room, compressed, as the archive keeps them.
//!
//! Format 1: the byte 1; the length of what follows before compression (u64); a zstd frame of,
//! for each batch, first seq (u64), count (u32), length of the data (u32), data. Numbers are big
//! endian.

use bytes::{Buf, BufMut, Bytes};

use super::StoredBatch;

/// The newest format.
const VERSION: u8 = 1;
/// Costs about 2 ms a megabyte; higher levels gain little on small edits.
const ZSTD_LEVEL: i32 = 3;
/// Largest segment that is read, in bytes before compression: a guard against absurd headers.
const RAW_BYTES_MAX: u64 = 1 << 30;

/// The segment of these batches.
///
/// # Panics
/// If one batch has 4 GiB of data or more, far above what may be appended.
pub(crate) fn encode(batches: &[StoredBatch]) -> Bytes {
    let mut raw = Vec::new();
    for batch in batches {
        raw.put_u64(batch.first_seq);
        raw.put_u32(batch.count);
        raw.put_u32(u32::try_from(batch.data.len()).expect("appends are smaller"));
        raw.put_slice(&batch.data);
    }
    let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL).expect("memory to memory cannot fail");
    let mut segment = Vec::with_capacity(9 + packed.len());
    segment.put_u8(VERSION);
    segment.put_u64(raw.len() as u64);
    segment.put_slice(&packed);
    segment.into()
}

/// The batches of a segment; the error says what is wrong with the bytes.
pub(crate) fn decode(mut segment: &[u8]) -> Result<Vec<StoredBatch>, String> {
    let version = segment.try_get_u8().map_err(|_| "an empty segment")?;
    if version != VERSION {
        return Err(format!("a segment of format {version}, known up to {VERSION}"));
    }
    let raw_len = segment.try_get_u64().map_err(|_| "a segment is cut short")?;
    if raw_len > RAW_BYTES_MAX {
        return Err(format!("a segment of {raw_len} bytes"));
    }
    let raw = zstd::bulk::decompress(segment, raw_len as usize)
        .map_err(|error| format!("a segment does not unpack: {error}"))?;
    if raw.len() as u64 != raw_len {
        return Err("a segment's length is wrong".into());
    }
    let mut raw = Bytes::from(raw);
    let mut batches = Vec::new();
    while raw.has_remaining() {
        batches.push(decode_batch(&mut raw).ok_or("a segment's batch is cut short")?);
    }
    Ok(batches)
}

fn decode_batch(raw: &mut Bytes) -> Option<StoredBatch> {
    let first_seq = raw.try_get_u64().ok()?;
    let count = raw.try_get_u32().ok()?;
    let len = raw.try_get_u32().ok()? as usize;
    (raw.remaining() >= len).then(|| StoredBatch { first_seq, count, data: raw.split_to(len) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches() -> Vec<StoredBatch> {
        [(1, 1, "created"), (2, 3, ""), (5, 1, "soup")]
            .map(|(first_seq, count, data)| StoredBatch { first_seq, count, data: data.into() })
            .into()
    }

    #[test]
    fn a_segment_gives_its_batches_back() {
        assert_eq!(decode(&encode(&batches())), Ok(batches()));
        assert_eq!(decode(&encode(&[])), Ok(vec![]));
    }

    #[test]
    fn format_1_stays_readable() {
        let frame = b"(\xb5/\xfd \x14\xa1\0\0\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x04soup";
        let written = [&b"\x01\0\0\0\0\0\0\0\x14"[..], frame].concat();
        let batch = StoredBatch { first_seq: 1, count: 2, data: "soup".into() };
        assert_eq!(decode(&written), Ok(vec![batch]));
    }

    #[test]
    fn damaged_segments_are_errors() {
        let whole = encode(&batches());
        for end in 0..whole.len() {
            assert!(decode(&whole[..end]).is_err(), "cut to {end} bytes");
        }
        let newer = [&[2], &whole[1..]].concat();
        assert_eq!(decode(&newer), Err("a segment of format 2, known up to 1".into()));
        let longer = [&whole[..1], &[0, 0, 0, 0, 0, 0, 1, 0], &whole[9..]].concat();
        assert!(decode(&longer).is_err());
        let absurd = [&whole[..1], &[255; 8], &whole[9..]].concat();
        assert!(decode(&absurd).is_err());
    }

    /// Whatever bytes a disk gives back: nothing panics, and what is taken for batches means just those.
    #[test]
    fn mutated_segments_are_errors_or_batches() {
        let mut dice = fastrand::Rng::with_seed(1);
        let whole: Vec<u8> = encode(&batches())[9..].into();
        let mut raw = zstd::bulk::decompress(&whole, 1024).unwrap();
        let mut taken = 0;
        for case in 0..50_000 {
            let at = dice.usize(..raw.len());
            let before = raw[at];
            raw[at] = dice.choice([0, 1, 4, 0x7f, 0x80, 0xff]).expect("some");
            let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL).unwrap();
            let mut segment = [&[VERSION][..], &(raw.len() as u64).to_be_bytes(), &packed].concat();
            raw[at] = before;
            if dice.bool() {
                let at = dice.usize(..segment.len());
                segment[at] = dice.u8(..);
            }
            if let Ok(batches) = decode(&segment) {
                taken += 1;
                assert_eq!(decode(&encode(&batches)), Ok(batches), "case {case}");
            }
        }
        assert!(taken > 1_000, "most mutations must reach further than the first check: {taken}");
    }
}
