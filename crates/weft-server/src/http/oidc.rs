//! Sign-in by way of the provider of OpenID Connect: there, back, and what comes of it.
//!
//! A browser goes both ways, so that what goes wrong is told on one of Weft's pages, as a code behind `?failed=`.
//! No account is found by what the provider says of somebody's address: only who is signed in links an identity
//! to the account that they have (`identity`).

use std::time::Duration;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_core::PersonId;
use weft_store::{Identity, NewPerson, Origin, Person, Proof};

use super::{
    ApiError, account_links,
    body::Body,
    fields,
    people::{self, Admission, SignedInAnswer},
    second_factor,
};
use crate::{
    auth::{
        Attempt, ClientAddress, Secret, Signed, authenticate, base_url, check_origin_if_present,
        clearing_journey_cookie, journey_cookie, journey_secret,
    },
    config::Registration,
    oidc::{Half, Journey, Oidc, Profile, Provider, ProviderError, Purpose, Vouched},
    state::AppState,
};

const CALLBACK: &str = "/api/v1/auth/oidc/callback";
/// Where one lands who has not said where to.
const HOME: &str = "/home";
/// The page of an invite link. Its secret is not in the address: the page has it.
const INVITE: &str = "/invite";
/// A user name made of somebody's name is no longer, so that a number fits behind it and nothing looks like an id.
const USERNAME_CHARS_MAX: usize = 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Start {
    /// The path of the app to go to then.
    #[serde(rename = "return")]
    return_to: Option<String>,
    /// In which somebody new is addressed.
    language: Option<String>,
}

/// Sends a browser to the provider, to sign in. If that cannot be reached, to the sign-in page.
#[utoipa::path(
    get,
    path = "/auth/oidc/start",
    params(Start),
    responses((status = 303, description = "To the provider")),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["not_found"])),
    )
)]
pub(super) async fn start(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    wanted: Result<Query<Start>, QueryRejection>,
) -> Result<Response, ApiError> {
    provider(&state)?;
    let Query(wanted) = wanted.map_err(|_| bad_return())?;
    let return_to = own_path(wanted.return_to, HOME)?;
    let language = fields::language(wanted.language.as_deref());
    let left = async {
        state.attempts.take(Attempt::OidcFrom(address), state.clock.now())?;
        leave(&state, &headers, Purpose::SignIn, return_to.clone(), language).await
    };
    Ok(match left.await {
        Ok(Left { url, cookie }) => see_other(&url, [cookie]),
        Err(error) => see_other(&failed(Purpose::SignIn, &return_to, &error), []),
    })
}

#[derive(Deserialize, ToSchema)]
#[schema(as = JoinForm)]
pub(super) struct Join {
    /// The secret of an invite link.
    #[schema(required)]
    invite: Option<String>,
    /// In which somebody new is addressed.
    language: Option<String>,
}

/// Where the browser is to go.
#[derive(Serialize, ToSchema)]
#[schema(as = Journey)]
pub(super) struct JourneyAnswer {
    url: String,
}

/// Begins to join by an invite link: the browser goes to the provider, and comes back to the link's page, signed in or with why
/// not (`?failed=CODE`).
#[utoipa::path(
    post,
    path = "/auth/oidc/join",
    request_body = Join,
    responses((status = 200, description = "Where to go", body = JourneyAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["not_found", "link_expired", "too_many_attempts", "oidc_unreachable", "bad_origin"])),
    )
)]
pub(super) async fn join(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    Body(form): Body<Join>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    provider(&state)?;
    let invite = Secret::hash_of(&fields::required(form.invite, "invite")?);
    let language = fields::language(form.language.as_deref());
    // Nobody is sent there with a link that does not work.
    people::shown_invite(&state, address, invite).await?;
    state.attempts.take(Attempt::OidcFrom(address), state.clock.now())?;
    let purpose = Purpose::Join { invite };
    Ok(leave(&state, &headers, purpose, INVITE.to_owned(), language).await?.answer())
}

/// Where a browser goes, and by what it is known when it comes back.
pub(super) struct Left {
    url: String,
    cookie: HeaderValue,
}

impl Left {
    /// For a page that goes there itself.
    pub(super) fn answer(self) -> Response {
        let cookie = AppendHeaders([(header::SET_COOKIE, self.cookie)]);
        (cookie, Json(JourneyAnswer { url: self.url })).into_response()
    }
}

/// Has a browser leave for the provider.
pub(super) async fn leave(
    state: &AppState,
    headers: &HeaderMap,
    purpose: Purpose,
    return_to: String,
    language: &'static str,
) -> Result<Left, ApiError> {
    let oidc = provider(state)?;
    let max_age = match purpose {
        // As old as a sign-in may be here that changes rights.
        Purpose::SignIn | Purpose::Join { .. } | Purpose::Link { .. } => {
            state.config.limits.manage_session_ms_max
        }
        Purpose::Confirm { .. } => 0,
    };
    let max_age = Duration::from_millis(max_age);
    let redirect = format!("{}{CALLBACK}", base_url(state, headers));
    let departure = Oidc::departure();
    let (url, errand) = oidc.provider.ask(redirect, &departure.state, max_age, language).await?;
    let now = state.clock.now();
    oidc.leaves(&departure, purpose, errand, return_to, language, now);
    let seconds = state.config.limits.oidc_journey_ms_max.div_ceil(1000);
    let cookie = journey_cookie(departure.browser.reveal(), seconds, state.is_https());
    Ok(Left { url: url.into(), cookie })
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Answer {
    state: Option<String>,
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who answers.
    iss: Option<String>,
}

/// Takes the provider's answer from the browser that was sent for it, once, and sends it on: signed in, to the sign-in page for
/// a code of the second factor (`?step=code`), or to where it came from with why not (`?failed=CODE`).
#[utoipa::path(
    get,
    path = "/auth/oidc/callback",
    params(Answer),
    responses((status = 303, description = "To a page of the app")),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["not_found"])),
    )
)]
pub(super) async fn callback(
    State(state): State<AppState>,
    address: ClientAddress,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, ApiError> {
    let oidc = provider(&state)?;
    let Query(answer) = answer.unwrap_or_default();
    let browser = journey_secret(&headers, state.is_https());
    let journey = answer
        .state
        .as_deref()
        .zip(browser)
        .and_then(|(word, browser)| oidc.returns(word, browser, state.clock.now()));
    let Some(journey) = journey else {
        // The cookie stays: it may be that of another journey, which is still under way.
        return Ok(see_other(&failed(Purpose::SignIn, HOME, &ApiError::OidcExpired), []));
    };
    let (purpose, return_to) = (journey.purpose, journey.return_to.clone());
    let cleared = clearing_journey_cookie(state.is_https());
    Ok(match arrive(&state, address, &headers, journey, answer).await {
        Ok(Arrived::In(session)) => see_other(&return_to, [cleared, session]),
        Ok(Arrived::Half(cookie)) => {
            see_other(&with_query("/signin", &[("step", "code"), ("next", &return_to)]), [cookie])
        }
        Ok(Arrived::Told(word)) => see_other(&with_query(&return_to, &[("oidc", word)]), [cleared]),
        Err(error) => see_other(&failed(purpose, &return_to, &error), [cleared]),
    })
}

/// What came of a journey.
enum Arrived {
    /// Somebody is signed in, by this cookie.
    In(HeaderValue),
    /// They have to show a code; the browser is known by this cookie.
    Half(HeaderValue),
    /// What they came for is done.
    Told(&'static str),
}

async fn arrive(
    state: &AppState,
    address: ClientAddress,
    headers: &HeaderMap,
    journey: Journey,
    answer: Answer,
) -> Result<Arrived, ApiError> {
    let oidc = provider(state)?;
    let issuer = oidc.config.issuer.as_str();
    if answer.iss.is_some_and(|iss| iss != issuer) {
        return Err(ApiError::OidcFailed);
    }
    if answer.error.is_some() {
        return Err(ApiError::OidcRefused);
    }
    let Journey { purpose, errand, began_at, language, .. } = journey;
    let code = answer.code.ok_or(ApiError::OidcFailed)?;
    let vouched = oidc.provider.exchange(code, errand, state.clock.now()).await?;
    let identity = Identity { issuer: issuer.to_owned(), subject: vouched.subject.clone() };
    match purpose {
        Purpose::SignIn => {
            sign_in(state, address, headers, vouched, identity, language, None).await
        }
        Purpose::Join { invite } => {
            sign_in(state, address, headers, vouched, identity, language, Some(invite)).await
        }
        Purpose::Link { person, token_hash } => {
            still(state, headers, person, token_hash).await?;
            state.meta.link_identity(person, &identity, state.clock.now()).await?;
            tracing::info!(%person, "identity linked");
            Ok(Arrived::Told("linked"))
        }
        Purpose::Confirm { person, token_hash } => {
            still(state, headers, person, token_hash).await?;
            // Without its word for it the provider may have asked for nothing.
            let seen_at = vouched.seen_at.ok_or(ApiError::OidcFailed)?;
            if !Provider::is_since(seen_at, began_at) {
                return Err(ApiError::OidcFailed);
            }
            let is_theirs =
                state.meta.identified(&identity).await?.is_some_and(|of| of.id == person);
            if !is_theirs {
                return Err(ApiError::OtherIdentity);
            }
            let now = state.clock.now();
            // It has been asked for anew: clocks that differ take nothing off that.
            let proof = Proof::Identity(&identity, now);
            state.meta.confirm_sign_in(&token_hash, person, proof, now).await?;
            Ok(Arrived::Told("confirmed"))
        }
    }
}

/// That the browser's sign-in is the one with which it left.
async fn still(
    state: &AppState,
    headers: &HeaderMap,
    person: PersonId,
    token_hash: [u8; 32],
) -> Result<(), ApiError> {
    let signed: Signed = authenticate(state, headers, None, None).await?;
    if signed.person.id != person || signed.token_hash != token_hash {
        return Err(ApiError::NotSignedIn);
    }
    Origin::acts(person);
    Ok(())
}

async fn sign_in(
    state: &AppState,
    address: ClientAddress,
    headers: &HeaderMap,
    vouched: Vouched,
    identity: Identity,
    language: &'static str,
    invite: Option<[u8; 32]>,
) -> Result<Arrived, ApiError> {
    let now = state.clock.now();
    let seen_at = vouched.seen_at.unwrap_or(now);
    let person = match state.meta.identified(&identity).await? {
        Some(person) if person.deactivated_at.is_some() => {
            people::note_failure(state, Some(person.id), "deactivated").await;
            return Err(ApiError::AccountDeactivated);
        }
        Some(person) => person,
        None => welcome(state, address, vouched, &identity, language, invite).await?,
    };
    if person.second_factor {
        let half = Half { person: person.id, identity, seen_at };
        let secret = provider(state)?.half_in(half, now);
        let seconds = state.config.limits.oidc_journey_ms_max.div_ceil(1000);
        return Ok(Arrived::Half(journey_cookie(secret.reveal(), seconds, state.is_https())));
    }
    let proof = Proof::Identity(&identity, seen_at);
    let signed_in = people::sign_in(state, headers, &person, proof).await?;
    Ok(Arrived::In(signed_in.cookie(state)))
}

/// Makes an account for somebody whom nobody here knows, if that may be.
async fn welcome(
    state: &AppState,
    address: ClientAddress,
    vouched: Vouched,
    identity: &Identity,
    language: &'static str,
    invite: Option<[u8; 32]>,
) -> Result<Person, ApiError> {
    let oidc = provider(state)?;
    let admission = admission(state, invite).await?;
    let profile = oidc.provider.profile(vouched).await?;
    // What cannot be an address here is none; the person can enter one.
    let email = fields::email(profile.email.clone()).unwrap_or_default();
    let email_verified = profile.email_verified && email.is_some();
    let domains = &oidc.config.email_domains;
    let is_in = |email: &String| domains.iter().any(|domain| domain.holds(email));
    let fits = domains.is_empty() || (email_verified && email.as_ref().is_some_and(is_in));
    if !fits {
        return Err(ApiError::EmailNotAllowed);
    }
    let is_theirs = |invited: &String| {
        email_verified && email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(invited))
    };
    if !admission.email.as_ref().is_none_or(is_theirs) {
        return Err(ApiError::EmailNotInvited);
    }
    let username = username_of(&profile);
    let new = NewPerson {
        id: people::new_person_id(state),
        name: shown_name(profile.name, &username),
        username,
        email,
        password_hash: String::new(),
        admin: false,
        language: language.to_owned(),
    };
    state.attempts.take(Attempt::RegisterFrom(address), state.clock.now())?;
    let now = state.clock.now();
    let invite = admission.invite.as_ref();
    let made = state.meta.create_identified_person(&new, email_verified, identity, invite, now);
    let person = made.await?;
    tracing::info!(person = %person.id, "registered by way of the provider");
    account_links::begin_verification(state, &person).await;
    Ok(person)
}

/// Why somebody whom nobody here knows may have an account. A link to the workspace is an administrator's word for it; one to
/// a room goes as far as registration does.
async fn admission(state: &AppState, invite: Option<[u8; 32]>) -> Result<Admission, ApiError> {
    let admission = match invite {
        Some(hash) => people::invited(state, hash).await?,
        None => Admission::default(),
    };
    let may = provider(state)?.config.sign_up
        || admission.invite.is_some()
        || match state.registration().await? {
            Registration::Open => true,
            Registration::Invite => invite.is_some(),
            Registration::Closed => false,
        };
    if may { Ok(admission) } else { Err(ApiError::RegistrationClosed) }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SecondStepForm)]
pub(super) struct SecondStep {
    #[schema(required)]
    code: Option<String>,
}

/// Shows the code of the second factor of somebody for whom the provider has vouched, and signs in.
#[utoipa::path(
    post,
    path = "/auth/oidc/code",
    request_body = SecondStep,
    responses((status = 200, description = "Signed in", body = SignedInAnswer)),
    extensions(
        ("x-weft-access" = json!({"credential": "none"})),
        ("x-weft-codes" = json!(["oidc_expired", "second_factor_needed", "wrong_code", "too_many_attempts", "bad_origin", "not_found"])),
    )
)]
pub(super) async fn second_step(
    State(state): State<AppState>,
    headers: HeaderMap,
    Body(form): Body<SecondStep>,
) -> Result<Response, ApiError> {
    check_origin_if_present(&state, &headers)?;
    let oidc = provider(&state)?;
    let code = fields::required(form.code, "code")?;
    let browser = journey_secret(&headers, state.is_https()).ok_or(ApiError::OidcExpired)?;
    let half = oidc.half(browser, state.clock.now()).ok_or(ApiError::OidcExpired)?;
    let person = state.meta.person(half.person).await?.ok_or(ApiError::OidcExpired)?;
    second_factor::check(&state, &person, Some(&code)).await?;
    // Two at once show one code twice, which works once.
    let half = oidc.whole(browser, state.clock.now()).ok_or(ApiError::OidcExpired)?;
    let proof = Proof::Identity(&half.identity, half.seen_at);
    let signed_in = people::sign_in(&state, &headers, &person, proof).await?;
    let mut answer = signed_in.answer(&state, |token| SignedInAnswer::of(&person, token));
    let cleared = clearing_journey_cookie(state.is_https());
    answer.headers_mut().append(header::SET_COOKIE, cleared);
    Ok(answer)
}

/// The provider, if there is one.
pub(super) fn provider(state: &AppState) -> Result<&Oidc, ApiError> {
    state.oidc.as_ref().ok_or(ApiError::NotFound)
}

/// A path of the app: neither one that a browser would take for another site's, nor a call.
pub(super) fn own_path(value: Option<String>, fallback: &str) -> Result<String, ApiError> {
    let Some(path) = value else { return Ok(fallback.to_owned()) };
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\#".contains(&byte);
    let fits = (1..=2_000).contains(&path.len())
        && path.bytes().all(plain)
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.starts_with("/api/");
    if fits { Ok(path) } else { Err(bad_return()) }
}

const fn bad_return() -> ApiError {
    ApiError::BadRequest { field: "return", reason: "malformed" }
}

/// The page that says why not.
fn failed(purpose: Purpose, return_to: &str, error: &ApiError) -> String {
    let code = error.code();
    tracing::info!(?purpose, code, "a journey to the provider ended in vain");
    match purpose {
        Purpose::SignIn => with_query("/signin", &[("failed", code), ("next", return_to)]),
        Purpose::Join { .. } | Purpose::Link { .. } | Purpose::Confirm { .. } => {
            with_query(return_to, &[("failed", code)])
        }
    }
}

fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let (path, before) = path.split_once('?').unwrap_or((path, ""));
    let mut query = openidconnect::url::form_urlencoded::Serializer::new(before.to_owned());
    format!("{path}?{}", query.extend_pairs(pairs).finish())
}

fn see_other<const N: usize>(to: &str, cookies: [HeaderValue; N]) -> Response {
    let to = HeaderValue::try_from(to).expect("URLs and paths of ours are visible ASCII");
    let cookies = cookies.map(|cookie| (header::SET_COOKIE, cookie));
    (StatusCode::SEE_OTHER, AppendHeaders([(header::LOCATION, to)]), AppendHeaders(cookies))
        .into_response()
}

/// A user name out of what the provider calls somebody.
fn username_of(profile: &Profile) -> String {
    let sources = [&profile.username, &profile.email];
    let words = sources.into_iter().flatten().filter_map(|source| source.split('@').next());
    let of = |word: &str| {
        let chars = word.trim().chars().map(|c| if c.is_whitespace() { '.' } else { c });
        let chars = chars.filter(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        fields::username(Some(chars.take(USERNAME_CHARS_MAX).collect())).ok()
    };
    let mut found = words.filter_map(of);
    found.next().unwrap_or_else(|| "user".to_owned())
}

/// What others see of them, as far as it can be shown.
fn shown_name(name: Option<String>, username: &str) -> String {
    let short = name.map(|name| name.trim().chars().take(fields::NAME_CHARS[1]).collect());
    fields::name(short, username).unwrap_or_else(|_| username.to_owned())
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        tracing::warn!(%error, "sign-in by way of the provider");
        match error {
            ProviderError::Unreachable(_) => Self::OidcUnreachable,
            ProviderError::Invalid(_) => Self::OidcFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_on_the_site() {
        let check = |path: &str, fits: bool| {
            let taken = own_path(Some(path.to_owned()), HOME);
            assert_eq!(taken.ok().as_deref(), fits.then_some(path), "{path}");
        };
        check("/o/abc", true);
        check("/home?tab=starred", true);
        check("/signin?next=//evil.example", true);
        for evil in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " /home",
            "home",
            "",
            "/o/abc#k=secret",
            "/api/v1/auth/oidc/start",
            "javascript:alert(1)",
            "/ü",
        ] {
            check(evil, false);
        }
        assert_eq!(own_path(None, HOME).unwrap(), HOME);
    }

    #[test]
    fn user_names_are_made_of_what_there_is() {
        let check = |username: &str, email: &str, made: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let (username, email) = (given(username), given(email));
            assert_eq!(username_of(&Profile { username, email, ..Profile::default() }), made);
        };
        check("lin", "other@example.org", "lin");
        check("lin@example.org", "", "lin");
        check("Lin Yue", "", "Lin.Yue");
        check("林月", "", "林月");
        check("<b>", "lin.yue@example.org", "lin.yue");
        check("\u{202e}x", "", "user");
        check("", "", "user");
        check(&"a".repeat(40), "", &"a".repeat(20));
    }

    #[test]
    fn queries_are_added_to_what_there_is() {
        assert_eq!(with_query("/home", &[("failed", "x")]), "/home?failed=x");
        assert_eq!(with_query("/home?tab=a", &[("failed", "x")]), "/home?tab=a&failed=x");
        let next = with_query("/signin", &[("next", "/o/a?b=c&d")]);
        assert_eq!(next, "/signin?next=%2Fo%2Fa%3Fb%3Dc%26d");
    }
}
