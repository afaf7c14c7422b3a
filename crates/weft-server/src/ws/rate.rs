//! A token bucket: so many at once, so many a second on the average.

use weft_core::Millis;

/// How much is left of an allowance.
#[derive(Debug)]
pub struct Bucket {
    /// Thousandths of a token; below 0 if more was charged than there was.
    milli: i64,
    burst: u64,
    per_second: u64,
    filled_at: Millis,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(burst: u64, per_second: u64, now: Millis) -> Self {
        Self { milli: thousandths(burst), burst, per_second, filled_at: now }
    }

    /// Takes one, or says in how many milliseconds there will be one.
    pub fn take(&mut self, now: Millis) -> Result<(), Millis> {
        let since = now.saturating_sub(self.filled_at);
        self.filled_at = now;
        // One token a second is one thousandth a millisecond.
        let filled = self.milli.saturating_add_unsigned(since.saturating_mul(self.per_second));
        self.milli = filled.min(thousandths(self.burst));
        if self.milli >= 1000 {
            self.milli -= 1000;
            return Ok(());
        }
        Err((1000 - self.milli).unsigned_abs().div_ceil(self.per_second.max(1)))
    }

    /// Takes as many as were used, though there be fewer: the next ones wait until they are paid.
    pub const fn charge(&mut self, used: u64) {
        self.milli = self.milli.saturating_sub(thousandths(used));
    }
}

/// Thousandths of tokens.
const fn thousandths(tokens: u64) -> i64 {
    let most = i64::MAX.unsigned_abs() / 1000;
    (if tokens < most { tokens } else { most }).cast_signed() * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(2, 10, 0);
        assert_eq!(bucket.take(0), Ok(()));
        assert_eq!(bucket.take(0), Ok(()));
        assert_eq!(bucket.take(0), Err(100));
        assert_eq!(bucket.take(60), Err(40));
        assert_eq!(bucket.take(100), Ok(()));
        assert_eq!(bucket.take(1_000_000), Ok(()));
        assert_eq!(bucket.take(1_000_000), Ok(()));
        assert!(bucket.take(1_000_000).is_err(), "no more than the burst is saved up");
    }

    #[test]
    fn what_was_used_beyond_the_rest_is_paid_first() {
        let mut bucket = Bucket::new(2, 10, 0);
        bucket.charge(12);
        assert_eq!(bucket.take(0), Err(1_100));
        assert_eq!(bucket.take(1_100), Ok(()));
    }
}
