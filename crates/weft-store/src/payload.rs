//! Where a payload lies: in the row that owns it, or, above [`INLINE_BYTES_MAX`], in a blob.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::blob::{BlobError, BlobHash, Blobs};

/// Largest payload in a row, in bytes. A larger one goes to the blobs first, so that no commit
/// has to wait for megabytes.
pub const INLINE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of the SHA-256 that a row keeps of a payload of its own.
const INLINE_DIGEST_LEN: usize = 8;

/// A payload on its way into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// The row holds the bytes.
    Inline(Bytes),
    /// A blob holds them.
    Blob {
        /// The blob's name.
        hash: BlobHash,
        /// Its length, in bytes.
        size: u64,
    },
}

impl Payload {
    /// Ready for a row: a large payload is a durable blob when this returns.
    pub async fn keep(data: Bytes, blobs: &Blobs) -> Result<Self, BlobError> {
        if data.len() > INLINE_BYTES_MAX {
            return Self::keep_in_blob(data, blobs).await;
        }
        Ok(Self::Inline(data))
    }

    /// As [`Self::keep`], but a blob whatever its size.
    pub async fn keep_in_blob(data: Bytes, blobs: &Blobs) -> Result<Self, BlobError> {
        let size = data.len() as u64;
        Ok(Self::Blob { hash: blobs.put(data).await?, size })
    }

    /// The bytes; the error says why they cannot be read.
    pub async fn read(&self, blobs: &Blobs) -> Result<Bytes, String> {
        match self {
            Self::Inline(data) => Ok(data.clone()),
            Self::Blob { .. } => self.columns().read(blobs).await,
        }
    }

    /// Bytes of the payload, wherever it lies.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(data) => data.len() as u64,
            Self::Blob { size, .. } => *size,
        }
    }

    /// Bytes that the row itself takes up, roughly.
    pub fn row_bytes(&self) -> usize {
        match self {
            Self::Inline(data) => data.len() + 64,
            Self::Blob { .. } => 64,
        }
    }

    /// What the row will hold.
    pub fn columns(&self) -> Columns {
        match self {
            Self::Inline(data) => Columns {
                in_blob: false,
                size: len(data),
                digest: inline_digest(data).to_vec(),
                data: data.to_vec(),
            },
            Self::Blob { hash, size } => Columns {
                in_blob: true,
                size: i64::try_from(*size).unwrap_or(i64::MAX),
                digest: hash.0.to_vec(),
                data: Vec::new(),
            },
        }
    }
}

/// A payload as the columns `in_blob, size, digest, data` of a row hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// The bytes are the blob `digest`, and `data` is empty.
    pub in_blob: bool,
    /// Bytes of the payload, wherever it lies.
    pub size: i64,
    /// SHA-256: of an inline payload the first 8 bytes, of a blob all 32.
    pub digest: Vec<u8>,
    /// An inline payload.
    pub data: Vec<u8>,
}

impl Columns {
    /// The payload's bytes, checked against size and digest; the error says what is wrong.
    pub async fn read(self, blobs: &Blobs) -> Result<Bytes, String> {
        let data = if self.in_blob {
            let hash = self.digest.try_into().map_err(|_| "a blob's hash is not 32 bytes")?;
            blobs.get(BlobHash(hash)).await.map_err(|error| with_cause(&error))?
        } else {
            if self.digest != inline_digest(&self.data) {
                return Err("bytes differ from their digest".into());
            }
            self.data.into()
        };
        if len(&data) == self.size { Ok(data) } else { Err("bytes differ from their size".into()) }
    }
}

/// The digest that a row keeps of bytes of its own.
pub(crate) fn inline_digest(data: &[u8]) -> [u8; INLINE_DIGEST_LEN] {
    let hash = Sha256::digest(data);
    std::array::from_fn(|i| hash[i])
}

fn len(data: &[u8]) -> i64 {
    i64::try_from(data.len()).expect("no slice is longer than isize::MAX")
}

/// The error and what caused it, in one line; a cause that is told already is not repeated.
pub(crate) fn with_cause(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    match error.source().map(with_cause) {
        Some(cause) if !text.contains(&cause) => format!("{text}: {cause}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn payloads_lie_in_row_or_blob_by_size_and_read_back() {
        let home = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(home.path()).unwrap();
        for (size, in_blob) in [(0, false), (INLINE_BYTES_MAX, false), (INLINE_BYTES_MAX + 1, true)]
        {
            let data = Bytes::from(vec![7; size]);
            let payload = Payload::keep(data.clone(), &blobs).await.unwrap();
            let columns = payload.columns();
            assert_eq!(columns.in_blob, in_blob, "{size}");
            assert_eq!(columns.read(&blobs).await, Ok(data), "{size}");
        }
    }

    #[tokio::test]
    async fn a_changed_payload_is_noticed() {
        let home = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(home.path()).unwrap();
        let whole = Payload::Inline(Bytes::from_static(b"soup")).columns();
        let damaged = [
            Columns { data: b"soap".to_vec(), ..whole.clone() },
            Columns { size: 5, ..whole.clone() },
            Columns { digest: vec![], ..whole.clone() },
            Columns { in_blob: true, ..whole.clone() },
            Columns { in_blob: true, digest: vec![0; 32], ..whole },
        ];
        for columns in damaged {
            assert!(columns.clone().read(&blobs).await.is_err(), "{columns:?}");
        }
    }
}
