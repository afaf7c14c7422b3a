//! Attempts: how often something may be tried from one address or for one user name.
//!
//! Token buckets in memory, bounded in number. Losing them costs an attacker's patience and
//! nothing more. Time is always passed in.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Mutex,
};

use weft_core::{Millis, PersonId, RoomId};

use crate::{auth::address::ClientAddress, config::Limits, http::ApiError};

/// Tokens are counted in thousandths, so that slow rates refill evenly.
const WHOLE: u64 = 1_000;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Something that is tried, and by or for whom.
#[derive(Debug, Clone, Copy, Hash)]
pub enum Attempt<'a> {
    /// A password for this user name (its key).
    SignInAs(&'a str),
    /// A password from this address.
    SignInFrom(ClientAddress),
    /// A code of this person's second factor.
    CodeOf(PersonId),
    /// A password of this room's link.
    LinkPassword(RoomId),
    /// A search for people by this person.
    PeopleBy(PersonId),
    /// A failed sign-in that is to be noted, whoever's.
    NotedFailure,
    /// The secret of an invite or set-up link.
    SecretFrom(ClientAddress),
    /// A browser that is sent to the provider of OpenID Connect.
    OidcFrom(ClientAddress),
    /// A new account.
    RegisterFrom(ClientAddress),
    /// This person asks to be let into a room.
    AccessRequestBy(PersonId),
    /// This person mentions somebody.
    MentionBy(PersonId),
    /// A socket, before it is known whose.
    SocketFrom(ClientAddress),
    /// A question for a link to set a new password.
    ResetFrom(ClientAddress),
    /// Such a link, mailed to this person.
    ResetMailTo(PersonId),
    /// A link that verifies this person's address, mailed.
    VerifyMailTo(PersonId),
}

/// All buckets.
pub struct Attempts {
    buckets: Mutex<HashMap<u64, Bucket>>,
    /// Keyed at random: nobody can aim at another's bucket.
    hasher: RandomState,
    limits: Limits,
}

struct Bucket {
    tokens: u64,
    filled_at: Millis,
    rate: Rate,
}

/// `count` tokens within `period_ms`; as many may be saved up.
#[derive(Clone, Copy)]
struct Rate {
    count: u64,
    period_ms: u64,
}

impl Attempts {
    /// No attempts so far.
    pub fn new(limits: &Limits) -> Self {
        Self { buckets: Mutex::default(), hasher: RandomState::new(), limits: limits.clone() }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// [`ApiError::TooManyAttempts`] if there were too many lately; it is not counted then.
    pub fn take(&self, attempt: Attempt<'_>, now: Millis) -> Result<(), ApiError> {
        let rate = self.rate(attempt);
        let key = self.hasher.hash_one(attempt);
        let mut buckets = self.buckets.lock().expect("no code panics while holding the buckets");
        if !buckets.contains_key(&key) {
            make_room(&mut buckets, self.limits.attempt_counters_max, now);
        }
        let bucket = buckets.entry(key).or_insert_with(|| Bucket::full(rate, now));
        bucket.take(now).map_err(|retry_ms| ApiError::TooManyAttempts { retry_ms })
    }

    /// Takes an attempt back: it was a good one.
    pub fn forgive(&self, attempt: Attempt<'_>) {
        let key = self.hasher.hash_one(attempt);
        let mut buckets = self.buckets.lock().expect("no code panics while holding the buckets");
        if let Some(bucket) = buckets.get_mut(&key) {
            bucket.tokens = bucket.rate.full().min(bucket.tokens + WHOLE);
        }
    }

    fn rate(&self, attempt: Attempt<'_>) -> Rate {
        let limits = &self.limits;
        let (count, period_ms) = match attempt {
            Attempt::SignInAs(_) => (limits.sign_in_attempts_per_minute, MINUTE_MS),
            Attempt::SignInFrom(_) => (limits.sign_in_attempts_per_address_per_minute, MINUTE_MS),
            Attempt::CodeOf(_) => (limits.code_attempts_per_hour, HOUR_MS),
            Attempt::LinkPassword(_) => (limits.link_password_attempts_per_minute, MINUTE_MS),
            Attempt::PeopleBy(_) => (limits.people_searches_per_minute, MINUTE_MS),
            Attempt::NotedFailure => (limits.audited_failures_per_hour, HOUR_MS),
            Attempt::SecretFrom(_) => (limits.secret_attempts_per_minute, MINUTE_MS),
            Attempt::OidcFrom(_) => (limits.oidc_starts_per_address_per_minute, MINUTE_MS),
            Attempt::RegisterFrom(_) => (limits.registrations_per_hour, HOUR_MS),
            Attempt::AccessRequestBy(_) => (limits.access_requests_per_hour, HOUR_MS),
            Attempt::MentionBy(_) => (limits.mentions_per_minute, MINUTE_MS),
            Attempt::SocketFrom(_) => (limits.sockets_per_address_per_minute, MINUTE_MS),
            Attempt::ResetFrom(_) => (limits.reset_asks_per_address_per_hour, HOUR_MS),
            Attempt::ResetMailTo(_) => (limits.reset_mails_per_hour, HOUR_MS),
            Attempt::VerifyMailTo(_) => (limits.verify_mails_per_hour, HOUR_MS),
        };
        Rate { count, period_ms }
    }
}

impl Rate {
    fn full(self) -> u64 {
        self.count.saturating_mul(WHOLE)
    }

    /// Thousandths of tokens that `ms` bring.
    fn brought(self, ms: u64) -> u64 {
        let brought = u128::from(self.full()) * u128::from(ms) / u128::from(self.period_ms);
        u64::try_from(brought).unwrap_or(u64::MAX)
    }
}

impl Bucket {
    fn full(rate: Rate, now: Millis) -> Self {
        Self { tokens: rate.full(), filled_at: now, rate }
    }

    fn fill(&mut self, now: Millis) {
        let brought = self.rate.brought(now.saturating_sub(self.filled_at));
        // Less than a thousandth is left to gather, or it would never come.
        if brought > 0 || now < self.filled_at {
            self.tokens = self.rate.full().min(self.tokens.saturating_add(brought));
            self.filled_at = now;
        }
    }

    /// Takes one token, or says in how many milliseconds there will be one.
    fn take(&mut self, now: Millis) -> Result<(), u64> {
        self.fill(now);
        if self.tokens >= WHOLE {
            self.tokens -= WHOLE;
            return Ok(());
        }
        let lacking = u128::from(WHOLE - self.tokens) * u128::from(self.rate.period_ms);
        Err(u64::try_from(lacking.div_ceil(u128::from(self.rate.full())))
            .unwrap_or(u64::MAX)
            .max(1))
    }
}

/// Forgets buckets that are full again; if that is not enough, half of them, the oldest first.
fn make_room(buckets: &mut HashMap<u64, Bucket>, count_max: u64, now: Millis) {
    let count_max = usize::try_from(count_max).unwrap_or(usize::MAX);
    if buckets.len() < count_max {
        return;
    }
    buckets.retain(|_, bucket| {
        bucket.fill(now);
        bucket.tokens < bucket.rate.full()
    });
    if buckets.len() < count_max {
        return;
    }
    let mut times: Vec<Millis> = buckets.values().map(|bucket| bucket.filled_at).collect();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    let mut to_drop = buckets.len() - count_max / 2;
    buckets.retain(|_, bucket| {
        let drop = to_drop > 0 && bucket.filled_at <= middle;
        to_drop -= usize::from(drop);
        !drop
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(change: impl FnOnce(&mut Limits)) -> Attempts {
        let mut limits = Limits::default();
        change(&mut limits);
        Attempts::new(&limits)
    }

    fn wait(taken: Result<(), ApiError>) -> u64 {
        match taken {
            Ok(()) => 0,
            Err(ApiError::TooManyAttempts { retry_ms }) => retry_ms,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn tokens_come_back_evenly_and_are_not_hoarded() {
        let attempts = attempts(|limits| limits.sign_in_attempts_per_minute = 3);
        let take = |now| wait(attempts.take(Attempt::SignInAs("lin"), now));
        assert_eq!([take(0), take(0), take(0), take(0), take(5_000)], [0, 0, 0, 20_000, 15_000]);
        assert_eq!([take(20_000), take(20_000)], [0, 20_000]);
        assert_eq!([take(HOUR_MS), take(HOUR_MS), take(HOUR_MS)], [0, 0, 0]);
        assert_eq!(take(HOUR_MS), 20_000);
        // A clock that is set back gives nothing and takes nothing.
        assert_eq!([take(0), take(20_000)], [20_000, 0]);
        assert_eq!(wait(attempts.take(Attempt::SignInAs("bo"), 0)), 0);
    }

    #[test]
    fn good_attempts_are_forgiven() {
        let attempts = attempts(|limits| limits.sign_in_attempts_per_minute = 1);
        for _ in 0..5 {
            assert_eq!(wait(attempts.take(Attempt::SignInAs("lin"), 0)), 0);
            attempts.forgive(Attempt::SignInAs("lin"));
        }
        attempts.forgive(Attempt::SignInAs("lin"));
        assert_eq!(wait(attempts.take(Attempt::SignInAs("lin"), 0)), 0);
        assert_ne!(wait(attempts.take(Attempt::SignInAs("lin"), 0)), 0);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_remembered() {
        let attempts = attempts(|limits| {
            limits.sign_in_attempts_per_minute = 1;
            limits.attempt_counters_max = 10;
        });
        for i in 0..1_000_u64 {
            let name = format!("name {i}");
            assert_eq!(wait(attempts.take(Attempt::SignInAs(&name), i)), 0);
            assert_ne!(wait(attempts.take(Attempt::SignInAs(&name), i)), 0);
            assert!(attempts.buckets.lock().unwrap().len() <= 10);
        }
    }
}
