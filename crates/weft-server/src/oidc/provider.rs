//! What is said to the provider, and what is believed of what it says.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::http;
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl,
    LanguageTag, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse as _,
    core::{
        CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod,
        CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreTokenResponse, CoreUserInfoClaims,
    },
    url::Url,
};
use tokio::sync::Mutex;
use weft_core::Millis;

use crate::{
    auth::Secret,
    config::{Limits, OidcConfig},
};

/// How signatures are made that count. Whoever knows the client's secret could make those of HMAC, and anybody `none`.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How far the provider's clock may be from ours, in milliseconds.
const CLOCKS_APART_MS: Millis = 60 * 1000;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The one provider.
pub(crate) struct Provider {
    issuer: IssuerUrl,
    is_local: bool,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    http: Http,
    /// Where it wants to be asked for what, and its keys; looked up when first needed.
    known: Mutex<Option<Arc<CoreProviderMetadata>>>,
    /// How often that was in vain.
    failures: AtomicU64,
}

/// What one browser was sent with, to be compared with what it comes back with.
pub(crate) struct Errand {
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    redirect: RedirectUrl,
}

/// For whom the provider vouches.
pub(crate) struct Vouched {
    pub subject: String,
    /// When it saw them last, if it says so.
    pub seen_at: Option<Millis>,
    profile: Profile,
    tokens: CoreTokenResponse,
}

/// What the provider says about somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub username: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
}

/// Why the provider is of no use now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// It cannot be reached, or does not say what it should.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// What it says of somebody does not count.
    #[error("what the provider says does not count: {0}")]
    Invalid(String),
}

impl Provider {
    pub(crate) fn new(config: &OidcConfig, limits: &Limits) -> Result<Self, reqwest::Error> {
        let is_local = config.issuer.is_local();
        Ok(Self {
            issuer: config.issuer.url().clone(),
            is_local,
            client_id: ClientId::new(config.client_id.clone()),
            client_secret: config.client_secret.clone(),
            scopes: config.scopes.iter().cloned().map(Scope::new).collect(),
            http: Http::new(!is_local, limits)?,
            known: Mutex::default(),
            failures: AtomicU64::new(0),
        })
    }

    /// Where a browser is sent, and what has to be remembered of it. The provider asks for the password again if it has
    /// not done so for `max_age`.
    pub(crate) async fn ask(
        &self,
        redirect: String,
        state: &Secret,
        max_age: Duration,
        language: &str,
    ) -> Result<(Url, Errand), ProviderError> {
        let known = self.metadata().await?;
        let client = self.client(&known);
        let redirect =
            RedirectUrl::new(redirect).map_err(|error| unreachable("its way back", &error))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let state = CsrfToken::new(state.reveal().to_owned());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                || Nonce::new(Secret::new().reveal().to_owned()),
            )
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Borrowed(&redirect))
            .set_max_age(max_age)
            .add_ui_locale(LanguageTag::new(language.to_owned()));
        if max_age.is_zero() {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, _, nonce) = request.url();
        Ok((url, Errand { nonce, verifier, redirect }))
    }

    /// Has the provider say who came with this code.
    pub(crate) async fn exchange(
        &self,
        code: String,
        errand: Errand,
        now: Millis,
    ) -> Result<Vouched, ProviderError> {
        let Errand { nonce, verifier, redirect } = errand;
        let known = self.metadata().await?;
        let client = self.client(&known);
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|error| unreachable("its tokens", &error))?;
        let request = request.set_pkce_verifier(verifier).set_redirect_uri(Cow::Owned(redirect));
        let tokens = request.request_async(&self.http).await.map_err(|error| match error {
            RequestTokenError::Request(error) => unreachable("its tokens", &error),
            // Its other words may hold tokens.
            RequestTokenError::ServerResponse(said) => {
                ProviderError::Invalid(format!("it takes no such code: {:?}", said.error()))
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                ProviderError::Invalid("its tokens cannot be read".to_owned())
            }
        })?;
        let claims = match self.claims(&client, &tokens, &nonce, now) {
            Err(Doubt::UnknownKey) => {
                // It signs with a new one, or somebody else does.
                let renewed = self.renew(&known).await?;
                self.claims(&self.client(&renewed), &tokens, &nonce, now)?
            }
            claims => claims?,
        };
        let seen_at = claims.auth_time().map(|at| millis(at.timestamp_millis()));
        let subject = claims.subject().to_string();
        Ok(Vouched { subject, seen_at, profile: Profile::of_token(&claims), tokens })
    }

    /// What the provider says about them. It may say more when asked than its token does.
    pub(crate) async fn profile(&self, vouched: Vouched) -> Result<Profile, ProviderError> {
        let Vouched { subject, profile, tokens, .. } = vouched;
        let is_whole =
            profile.email.is_some() && profile.username.is_some() && profile.name.is_some();
        let known = self.metadata().await?;
        if is_whole || known.userinfo_endpoint().is_none() {
            return Ok(profile);
        }
        let client = self.client(&known);
        // It must speak of the same person.
        let subject = SubjectIdentifier::new(subject);
        let request = client.user_info(tokens.access_token().clone(), Some(subject));
        let request = request.map_err(|error| unreachable("its people", &error))?;
        let more: Result<CoreUserInfoClaims, _> = request.request_async(&self.http).await;
        let more =
            more.map_err(|error| ProviderError::Invalid(format!("of its people: {error}")))?;
        Ok(profile.or(Profile::of_answer(&more)))
    }

    /// Whether the provider has seen somebody since then, as far as clocks tell.
    pub(crate) fn is_since(seen_at: Millis, since: Millis) -> bool {
        seen_at.saturating_add(CLOCKS_APART_MS) >= since
    }

    fn claims(
        &self,
        client: &Client,
        tokens: &CoreTokenResponse,
        nonce: &Nonce,
        now: Millis,
    ) -> Result<CoreIdTokenClaims, Doubt> {
        let token = tokens.id_token().ok_or_else(|| Doubt::of("there is no ID token"))?;
        let verifier = client.id_token_verifier();
        let verifier = at(verifier, now).set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, nonce).map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                | SignatureVerificationError::CryptoError(_),
            ) => Doubt::UnknownKey,
            error => Doubt::of(&error),
        })?;
        if millis(claims.issue_time().timestamp_millis()) > now.saturating_add(CLOCKS_APART_MS) {
            return Err(Doubt::of("the ID token is of tomorrow"));
        }
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| Doubt::of(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| Doubt::of(&error))?;
            let actual =
                openidconnect::AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(|error| Doubt::of(&error))? != *expected {
                return Err(Doubt::of("the tokens do not belong together"));
            }
        }
        Ok(claims.clone())
    }

    fn client(&self, known: &CoreProviderMetadata) -> Client {
        let secret = self.client_secret.clone();
        let client =
            CoreClient::from_provider_metadata(known.clone(), self.client_id.clone(), secret);
        // Basic is what everybody takes who says nothing.
        let takes_basic = known.token_endpoint_auth_methods_supported().is_none_or(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                || !methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        client.set_auth_type(if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    }

    async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let failures = self.failures.load(Ordering::Relaxed);
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        // Whoever waited for another's question has the same answer; who comes later asks again.
        if self.failures.load(Ordering::Relaxed) != failures {
            return Err(ProviderError::Unreachable("as it was a moment ago".to_owned()));
        }
        let found = self.discover().await.inspect_err(|_| {
            self.failures.fetch_add(1, Ordering::Relaxed);
        })?;
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Asks anew, unless somebody has done so since `before`.
    async fn renew(
        &self,
        before: &Arc<CoreProviderMetadata>,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some(now_known) = known.as_ref().filter(|known| !Arc::ptr_eq(known, before)) {
            return Ok(Arc::clone(now_known));
        }
        let found = self.discover().await?;
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// That it spells itself as it is known here, the library has seen to.
    async fn discover(&self) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let found = found.map_err(|error| unreachable("its description", &error))?;
        let page = found.authorization_endpoint().url();
        if page.scheme() != "https" && !self.is_local {
            return Err(ProviderError::Unreachable("its page is not encrypted".to_owned()));
        }
        Ok(Arc::new(found))
    }
}

/// Why a token is not taken at once.
enum Doubt {
    /// It may have been signed with a key that is not known yet.
    UnknownKey,
    /// For good.
    Invalid(String),
}

impl Doubt {
    fn of(why: impl fmt::Display) -> Self {
        Self::Invalid(why.to_string())
    }
}

impl From<Doubt> for ProviderError {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::UnknownKey => {
                Self::Invalid("the ID token is signed by somebody else".to_owned())
            }
            Doubt::Invalid(why) => Self::Invalid(why),
        }
    }
}

impl Profile {
    fn of_token(claims: &CoreIdTokenClaims) -> Self {
        Self {
            username: claims.preferred_username().map(|username| username.to_string()),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified() == Some(true),
        }
    }

    fn of_answer(claims: &CoreUserInfoClaims) -> Self {
        Self {
            username: claims.preferred_username().map(|username| username.to_string()),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified() == Some(true),
        }
    }

    /// What is missing, by the other. An address and whether it is verified come from one of them.
    fn or(self, other: Self) -> Self {
        let (email, email_verified) = match self.email {
            Some(email) => (Some(email), self.email_verified),
            None => (other.email, other.email_verified),
        };
        Self {
            username: self.username.or(other.username),
            name: self.name.or(other.name),
            email,
            email_verified,
        }
    }
}

/// By the server's own clock.
fn at(verifier: CoreIdTokenVerifier<'_>, now: Millis) -> CoreIdTokenVerifier<'_> {
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let now = chrono::DateTime::from_timestamp_millis(now)
        .unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    verifier.set_time_fn(move || now)
}

fn millis(at: i64) -> Millis {
    Millis::try_from(at).unwrap_or(0)
}

/// The error with its causes, none of which holds a secret.
fn unreachable(what: &str, error: &(dyn std::error::Error + 'static)) -> ProviderError {
    let mut text = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    ProviderError::Unreachable(text)
}

/// The way to the provider: bounded in time and size, and it leads nowhere else.
struct Http {
    client: reqwest::Client,
    bytes_max: u64,
}

/// Why the provider has not answered.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    #[error("the answer is too long")]
    TooLong,
}

impl Http {
    fn new(https_only: bool, limits: &Limits) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .https_only(https_only)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(limits.oidc_answer_ms_max))
            .no_proxy()
            .build()?;
        Ok(Self { client, bytes_max: limits.oidc_answer_bytes_max })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.client.execute(request.try_into()?).await?;
        let mut answer = http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        while let Some(chunk) = response.chunk().await? {
            let body = answer.body_mut();
            body.extend_from_slice(&chunk);
            if body.len() as u64 > self.bytes_max {
                return Err(HttpError::TooLong);
            }
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
