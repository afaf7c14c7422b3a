//! A provider of OpenID Connect as small as can be. It says of people what a test tells it to, true or not.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm},
    url::{Url, form_urlencoded},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use weft_server::{
    Config,
    config::{ClientSecret, OidcConfig},
};

use crate::support::{Answer, Caller, NOW, Server};

pub const CLIENT: &str = "weft";
pub const CLIENT_SECRET: &str = "hush-hush of the client";

pub struct Provider {
    pub url: String,
    told: Arc<Mutex<Told>>,
}

/// What a test has said.
pub struct Told {
    pub url: String,
    /// Names the key that signs, and the one that is published: by one letter.
    pub signs: char,
    pub publishes: char,
    /// What the description says otherwise.
    pub description: Value,
    /// What `/userinfo` says.
    pub userinfo: Value,
    /// What answers instead of the description, the tokens.
    pub broken: Option<fn() -> Response>,
    codes: HashMap<String, Code>,
    pub descriptions_asked: usize,
}

struct Code {
    token: String,
    challenge: String,
    redirect: String,
}

/// With what a browser was sent to the provider.
#[derive(Debug, Clone)]
pub struct Asked {
    pub page: String,
    pub query: BTreeMap<String, String>,
}

impl Asked {
    pub fn of(location: &str) -> Self {
        let url: Url = location.parse().expect("a URL");
        let query = url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
        Self { page: format!("{}{}", url.origin().ascii_serialization(), url.path()), query }
    }

    pub fn get(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// How a token is signed.
#[derive(Debug, Clone, Copy)]
pub enum Signature {
    /// As the provider does.
    Right,
    /// With another key, which claims to be the same.
    OfAnother,
    /// `alg: none`.
    None,
    /// With the client's secret.
    Hmac,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = Told {
            url: url.clone(),
            signs: 'a',
            publishes: 'a',
            description: json!({}),
            userinfo: json!({}),
            broken: None,
            codes: HashMap::new(),
            descriptions_asked: 0,
        };
        let told = Arc::new(Mutex::new(told));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, told }
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    /// A server whose people come by way of this provider.
    pub async fn server(&self, change: impl FnOnce(&mut Config)) -> Server {
        let oidc = oidc_at(&self.url);
        Server::with(|config| {
            config.oidc = Some(oidc);
            change(config);
        })
        .await
    }

    /// What is true of somebody who has just signed in there.
    pub fn claims(&self, asked: &Asked, subject: &str) -> Value {
        let now = NOW / 1000;
        json!({
            "iss": self.url, "aud": CLIENT, "sub": subject, "nonce": asked.get("nonce"),
            "iat": now, "exp": now + 300, "auth_time": now,
        })
    }

    /// A code for which that is told.
    pub fn code(&self, asked: &Asked, claims: &Value, signature: Signature) -> String {
        let mut told = self.told();
        let token = signed(claims, told.signs, signature);
        let code = format!("code-{}-{}", told.codes.len(), asked.get("state"));
        let challenge = asked.get("code_challenge").to_owned();
        let redirect = asked.get("redirect_uri").to_owned();
        told.codes.insert(code.clone(), Code { token, challenge, redirect });
        code
    }
}

/// Settings with that provider, be it there or not.
pub fn oidc_at(url: &str) -> OidcConfig {
    OidcConfig {
        issuer: url.parse().unwrap(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(ClientSecret::new(CLIENT_SECRET.to_owned())),
        name: Some("Example".to_owned()),
        scopes: OidcConfig::SCOPES.map(str::to_owned).to_vec(),
        sign_up: true,
        email_domains: Vec::new(),
    }
}

fn key(letter: char) -> CoreEdDsaPrivateSigningKey {
    key_called(letter, letter)
}

fn key_called(letter: char, name: char) -> CoreEdDsaPrivateSigningKey {
    // PKCS #8: what stands before the 32 bytes of an Ed25519 key never differs.
    let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let bytes = [&head[..], &[letter as u8; 32]].concat();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(bytes)
    );
    let name = JsonWebKeyId::new(name.to_string());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(name)).unwrap()
}

fn signed(claims: &Value, letter: char, signature: Signature) -> String {
    let algorithm = match signature {
        Signature::Right | Signature::OfAnother => "EdDSA",
        Signature::None => "none",
        Signature::Hmac => "HS256",
    };
    let head = json!({"alg": algorithm, "kid": letter.to_string(), "typ": "JWT"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&head), part(claims));
    let by_key = |key: CoreEdDsaPrivateSigningKey| {
        key.sign(&CoreJwsSigningAlgorithm::EdDsa, text.as_bytes()).unwrap()
    };
    let signature = match signature {
        Signature::Right => by_key(key(letter)),
        Signature::OfAnother => by_key(key_called('z', letter)),
        Signature::None => Vec::new(),
        Signature::Hmac => {
            let key = CoreHmacKey::new(CLIENT_SECRET);
            key.sign(&CoreJwsSigningAlgorithm::HmacSha256, text.as_bytes()).unwrap()
        }
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

type Shared = State<Arc<Mutex<Told>>>;

async fn description(State(told): Shared) -> Response {
    let mut told = told.lock().unwrap();
    told.descriptions_asked += 1;
    if let Some(broken) = told.broken {
        return broken();
    }
    let url = &told.url;
    let mut description = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/page"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    for (name, value) in told.description.as_object().unwrap() {
        description[name] = value.clone();
    }
    Json(description).into_response()
}

async fn keys(State(told): Shared) -> Response {
    let published = key(told.lock().unwrap().publishes).as_verification_key();
    Json(json!({"keys": [published]})).into_response()
}

async fn token(State(told): Shared, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let refused =
        |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let shown = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    // The secret is URL-encoded first (RFC 6749, section 2.3.1).
    let basic = format!("{CLIENT}:{}", CLIENT_SECRET.replace(' ', "+"));
    if shown != format!("Basic {}", STANDARD.encode(basic)) {
        return refused("invalid_client");
    }
    let Some(code) = told.lock().unwrap().codes.remove(field("code")) else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    if challenge != code.challenge || field("redirect_uri") != code.redirect {
        return refused("invalid_grant");
    }
    Json(json!({"access_token": "access", "token_type": "Bearer", "id_token": code.token}))
        .into_response()
}

async fn userinfo(State(told): Shared, headers: HeaderMap) -> Response {
    let shown = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    assert_eq!(shown, "Bearer access");
    Json(told.lock().unwrap().userinfo.clone()).into_response()
}

/// A page that leads elsewhere.
pub fn elsewhere() -> Response {
    Redirect::temporary("/keys").into_response()
}

/// A page that does not end.
pub fn endless() -> Response {
    Json(json!({"issuer": "x".repeat(2_000_000)})).into_response()
}

/// A page of somebody else.
pub fn in_vain() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// A browser: it keeps cookies, and is told where to go.
#[derive(Clone)]
pub struct Browser {
    pub caller: Caller,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn of(server: &Server) -> Self {
        let caller = server.stranger();
        let origin = caller.base.clone();
        Self { caller: caller.header("origin", &origin), cookies: BTreeMap::new() }
    }

    fn sent(&self) -> Caller {
        let all: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if all.is_empty() {
            self.caller.clone()
        } else {
            self.caller.clone().header("cookie", &all.join("; "))
        }
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax; Path=/; "), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.sent().get(path).await;
        self.keep(&answer);
        answer
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let answer = self.sent().post(path, body).await;
        self.keep(&answer);
        answer
    }

    /// Where the call sends it.
    pub async fn sent_to(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        answer.expect(303);
        answer.header("location").to_owned()
    }

    /// Leaves to sign in.
    pub async fn leave(&mut self) -> Asked {
        Asked::of(&self.sent_to("/auth/oidc/start?return=/o/plan&language=zh").await)
    }

    /// Comes back with a code; where it is sent.
    pub async fn back(&mut self, asked: &Asked, code: &str) -> String {
        let state = asked.get("state");
        self.sent_to(&format!("/auth/oidc/callback?state={state}&code={code}")).await
    }

    /// Signs in as somebody of whom the provider says what is true; where it is sent.
    pub async fn sign_in(&mut self, provider: &Provider, subject: &str) -> String {
        let asked = self.leave().await;
        let code = provider.code(&asked, &provider.claims(&asked, subject), Signature::Right);
        self.back(&asked, &code).await
    }

    /// Who is signed in.
    pub async fn me(&mut self) -> Value {
        self.get("/auth/me").await.expect(200)["user"].clone()
    }
}
