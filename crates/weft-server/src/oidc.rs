//! Sign-in by way of a provider of OpenID Connect, which says who somebody is.
//!
//! The browser is sent to the provider and comes back with a code, for which the provider tells this server who that is
//! (the authorization code flow, with PKCE, `state` and `nonce`). What was asked for, by which browser, waits in memory:
//! a restart costs those who are on their way one more try.
//!
//! Start at [`Oidc`]. Not here: what comes of it (`http::oidc`), whose an identity is (`weft_store::Identity`).
//!
//! Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (`iss` of the answer); RFC 9700.

mod provider;
mod waiting;

use weft_core::{Millis, PersonId};
use weft_store::Identity;

pub(crate) use provider::{Errand, Profile, Provider, ProviderError, Vouched};
use waiting::Waiting;

use crate::{
    auth::Secret,
    config::{Limits, OidcConfig},
};

/// The provider, and who is on the way to it.
pub(crate) struct Oidc {
    pub config: OidcConfig,
    pub provider: Provider,
    /// By the hash of `state`.
    journeys: Waiting<Journey>,
    /// By the hash of the browser's secret: who still has to show a code of their second factor.
    halves: Waiting<Half>,
}

/// What a browser was sent to the provider for.
pub(crate) struct Journey {
    /// The hash of the secret that the browser has: no other may bring the answer.
    browser: [u8; 32],
    pub purpose: Purpose,
    pub errand: Errand,
    pub began_at: Millis,
    /// The path that it goes to then.
    pub return_to: String,
    /// In which somebody new is addressed.
    pub language: &'static str,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Somebody signs in, or gets an account.
    SignIn,
    /// The same by an invite link, of whose secret this is the hash.
    Join { invite: [u8; 32] },
    /// The person of this sign-in will sign in by the identity from now on.
    Link { person: PersonId, token_hash: [u8; 32] },
    /// The person of this sign-in shows again who they are.
    Confirm { person: PersonId, token_hash: [u8; 32] },
}

/// Somebody for whom the provider has vouched, and who has a second factor.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    pub person: PersonId,
    pub identity: Identity,
    pub seen_at: Millis,
}

/// What a browser has to be told to be on its way.
pub(crate) struct Departure {
    /// For the provider, which sends it back.
    pub state: Secret,
    /// For the browser's cookie.
    pub browser: Secret,
}

impl Oidc {
    pub(crate) fn new(config: OidcConfig, limits: &Limits) -> Result<Self, reqwest::Error> {
        let count_max = usize::try_from(limits.oidc_journeys_max).unwrap_or(usize::MAX);
        let lasts_ms = limits.oidc_journey_ms_max;
        Ok(Self {
            provider: Provider::new(&config, limits)?,
            config,
            journeys: Waiting::new(count_max, lasts_ms),
            halves: Waiting::new(count_max, lasts_ms),
        })
    }

    /// Secrets for a browser that is about to leave.
    pub(crate) fn departure() -> Departure {
        Departure { state: Secret::new(), browser: Secret::new() }
    }

    /// Remembers a browser that leaves for the provider.
    pub(crate) fn leaves(
        &self,
        departure: &Departure,
        purpose: Purpose,
        errand: Errand,
        return_to: String,
        language: &'static str,
        now: Millis,
    ) {
        let browser = departure.browser.hash();
        let journey = Journey { browser, purpose, errand, began_at: now, return_to, language };
        self.journeys.put(departure.state.hash(), journey, now);
    }

    /// What the browser with this secret was sent for, which it is told once. Another browser neither hears of it nor
    /// puts an end to it.
    pub(crate) fn returns(&self, state: &str, browser: &str, now: Millis) -> Option<Journey> {
        let browser = Secret::hash_of(browser);
        let is_same = |journey: &Journey| journey.browser == browser;
        self.journeys.take_if(&Secret::hash_of(state), now, is_same)
    }

    /// Remembers who still has to show a code. The secret is for the browser.
    pub(crate) fn half_in(&self, half: Half, now: Millis) -> Secret {
        let browser = Secret::new();
        self.halves.put(browser.hash(), half, now);
        browser
    }

    /// Who that is.
    pub(crate) fn half(&self, browser: &str, now: Millis) -> Option<Half> {
        self.halves.look(&Secret::hash_of(browser), now)
    }

    /// They are in.
    pub(crate) fn whole(&self, browser: &str, now: Millis) -> Option<Half> {
        self.halves.take_if(&Secret::hash_of(browser), now, |_| true)
    }
}
