//! A token bucket: so many at once, so many a second on the average.

use weft_core::Millis;

/// How much is left of an allowance.
#[derive(Debug)]
pub struct Bucket {
    /// Thousandths of a token.
    milli: u64,
    burst: u64,
    per_second: u64,
    filled_at: Millis,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(burst: u64, per_second: u64, now: Millis) -> Self {
        Self { milli: burst * 1000, burst, per_second, filled_at: now }
    }

    /// Takes one, or says in how many milliseconds there will be one.
    pub fn take(&mut self, now: Millis) -> Result<(), Millis> {
        let since = now.saturating_sub(self.filled_at);
        self.filled_at = now;
        // One token a second is one thousandth a millisecond.
        self.milli = (self.milli + since.saturating_mul(self.per_second)).min(self.burst * 1000);
        match self.milli.checked_sub(1000) {
            Some(left) => {
                self.milli = left;
                Ok(())
            }
            None => Err((1000 - self.milli).div_ceil(self.per_second.max(1))),
        }
    }
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
}
