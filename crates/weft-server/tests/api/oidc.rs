//! Sign-in by way of a provider of OpenID Connect: who gets in, and who does not by any trick.

use serde_json::{Value, json};
use weft_server::config::Registration;

use crate::{
    account::turn_on,
    provider::{Asked, Browser, CLIENT_SECRET, Provider, Signature, elsewhere, endless, in_vain},
    support::{Caller, DAY, MINUTE, NOW, PASSWORD, Server, logged},
};

const SIGN_IN_FAILED: &str = "/signin?failed=";

#[track_caller]
fn failed(location: &str, code: &str) {
    let (found, next) =
        location.strip_prefix(SIGN_IN_FAILED).expect(location).split_once('&').unwrap();
    assert_eq!(found, code, "{location}");
    assert!(["next=%2Fo%2Fplan", "next=%2Fhome"].contains(&next), "{location}");
}

fn token_of(caller: &Caller) -> String {
    caller.headers["authorization"].to_str().unwrap().replace("Bearer ", "")
}

/// The browser of somebody who has an account with a password.
async fn with_password(server: &Server, username: &str) -> Browser {
    let mut browser = Browser::of(server);
    let form = json!({"username": username, "password": PASSWORD});
    browser.post("/auth/login", form).await.expect(200);
    browser
}

/// Leaves by a call that says where to go.
async fn leave_by(browser: &mut Browser, call: &str, form: Value) -> Asked {
    Asked::of(browser.post(call, form).await.expect(200)["url"].as_str().unwrap())
}

/// Leaves to join by an invite link.
async fn leave_to_join(browser: &mut Browser, secret: &str) -> Asked {
    leave_by(browser, "/auth/oidc/join", json!({"invite": secret, "language": "zh"})).await
}

/// Joins by an invite link, as somebody of whom the provider says what is true; where the browser is sent.
async fn join(browser: &mut Browser, secret: &str, provider: &Provider, subject: &str) -> String {
    let asked = leave_to_join(browser, secret).await;
    let code = provider.code(&asked, &provider.claims(&asked, subject), Signature::Right);
    browser.back(&asked, &code).await
}

/// A new link to the workspace: its secret.
async fn link_to_workspace(admin: &Caller, form: Value) -> String {
    let made = admin.post("/admin/invites", form).await.expect(201);
    made["secret"].as_str().unwrap().to_owned()
}

/// How often each of the links that still work was used, the oldest first.
async fn uses(admin: &Caller) -> Vec<u64> {
    let listed = admin.get("/admin/invites").await.expect(200);
    let links = listed["invites"].as_array().unwrap().iter();
    links.rev().map(|link| link["uses"].as_u64().unwrap()).collect()
}

async fn register_by(admin: &Caller, registration: &str) {
    let form = json!({"registration": registration});
    admin.call(reqwest::Method::PUT, "/admin/registration", Some(form)).await.expect(200);
}

#[tokio::test]
async fn an_unknown_person_gets_an_account_and_comes_back_to_it() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let setup = server.stranger().get("/auth/setup").await.expect(200);
    assert_eq!(setup["oidc"], json!({"name": "Example", "sign_up": true}));

    let mut browser = Browser::of(&server);
    let asked = browser.leave().await;
    assert_eq!(asked.page, format!("{}/page", provider.url));
    for (name, value) in [
        ("client_id", "weft"),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("scope", "openid profile email"),
        ("ui_locales", "zh"),
        ("max_age", "604800"),
        ("redirect_uri", &format!("{}/api/v1/auth/oidc/callback", browser.caller.base)),
    ] {
        assert_eq!(asked.get(name), value, "{name}");
    }
    let mut claims = provider.claims(&asked, "lin-1");
    for (name, value) in [
        ("preferred_username", json!("Lin Yue@example.org")),
        ("name", json!("Lin Yue")),
        ("email", json!("lin@example.org")),
        ("email_verified", json!("true")),
    ] {
        claims[name] = value;
    }
    let code = provider.code(&asked, &claims, Signature::Right);
    assert_eq!(browser.back(&asked, &code).await, "/o/plan");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["weft_session"]);
    let me = browser.me().await;
    assert_eq!(
        (&me["username"], &me["name"], &me["language"]),
        (&json!("Lin.Yue"), &json!("Lin Yue"), &json!("zh"))
    );
    assert_eq!(
        (&me["email"], &me["email_verified"], &me["has_password"]),
        (&json!("lin@example.org"), &json!(true), &json!(false))
    );
    let devices = browser.get("/auth/sign-ins").await.expect(200);
    assert_eq!(devices["sign_ins"].as_array().unwrap().len(), 1);

    // Whatever the provider says of the person now: who they are is the subject alone.
    let mut again = Browser::of(&server);
    assert_eq!(again.sign_in(&provider, "lin-1").await, "/o/plan");
    assert_eq!(again.me().await["id"], me["id"]);

    // No password lets them in, not even none.
    for password in ["", " ", PASSWORD] {
        let form = json!({"username": "Lin.Yue", "password": password});
        server.stranger().post("/auth/login", form).await.refused(401, "wrong_credentials");
    }
    let text = logged();
    for secret in [CLIENT_SECRET, code.as_str(), asked.get("nonce"), asked.get("state")] {
        assert!(!text.contains(secret), "a secret was logged");
    }
}

#[tokio::test]
async fn what_the_token_does_not_say_is_asked_for_and_names_are_made_free() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.registration = Some(Registration::Open)).await;
    server.person("lin").await;
    let info = json!({"sub": "lin-1", "preferred_username": "LIN", "email": "lin@example.org"});
    provider.told().userinfo = info;
    let mut browser = Browser::of(&server);
    assert_eq!(browser.sign_in(&provider, "lin-1").await, "/o/plan");
    let me = browser.me().await;
    assert_eq!(
        (&me["username"], &me["name"], &me["email_verified"]),
        (&json!("LIN2"), &json!("LIN"), &json!(false))
    );

    // Of somebody else.
    let mut other = Browser::of(&server);
    failed(&other.sign_in(&provider, "bo-1").await, "oidc_failed");
    // Nobody takes over an account by its address.
    provider.told().userinfo =
        json!({"sub": "eve", "email": "LIN@example.org", "email_verified": true});
    failed(&other.sign_in(&provider, "eve").await, "email_taken");
    // Without a name and an address there is an account all the same.
    provider.told().userinfo = json!({"sub": "x", "email": "no address", "name": "\u{7}"});
    assert_eq!(other.sign_in(&provider, "x").await, "/o/plan");
    let me = other.me().await;
    assert_eq!(
        (&me["username"], &me["name"], &me["email"]),
        (&json!("no.address"), &json!("no.address"), &json!(null))
    );
}

#[tokio::test]
async fn who_may_have_an_account_is_decided_here() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.oidc.as_mut().unwrap().sign_up = false).await;
    let (admin, _) = server.set_up().await;
    for (mode, code) in [
        ("closed", Some("registration_closed")),
        ("invite", Some("registration_closed")),
        ("open", None),
    ] {
        register_by(&admin, mode).await;
        provider.told().userinfo = json!({"sub": "lin"});
        let location = Browser::of(&server).sign_in(&provider, "lin").await;
        match code {
            Some(code) => failed(&location, code),
            None => assert_eq!(location, "/o/plan"),
        }
    }
    // Who has an account comes in whoever may register.
    register_by(&admin, "closed").await;
    assert_eq!(Browser::of(&server).sign_in(&provider, "lin").await, "/o/plan");

    let provider = Provider::start().await;
    let server = provider
        .server(|config| {
            let oidc = config.oidc.as_mut().unwrap();
            oidc.email_domains = vec!["example.org".parse().unwrap()];
        })
        .await;
    for (email, verified, fits) in [
        ("a@example.org", true, true),
        ("b@example.org", false, false),
        ("c@evil.example", true, false),
        ("d@example.org.evil.example", true, false),
        ("e@example.org@evil.example", true, false),
    ] {
        provider.told().userinfo =
            json!({"sub": email, "email": email, "email_verified": verified});
        let location = Browser::of(&server).sign_in(&provider, email).await;
        if fits {
            assert_eq!(location, "/o/plan");
        } else {
            failed(&location, "email_not_allowed");
        }
    }
    provider.told().userinfo = json!({"sub": "f"});
    failed(&Browser::of(&server).sign_in(&provider, "f").await, "email_not_allowed");
}

#[tokio::test]
async fn tokens_that_do_not_count_let_nobody_in() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let now = NOW / 1000;
    let cases: [(&str, &str, Value, Signature); 15] = [
        ("another's nonce", "nonce", json!("another"), Signature::Right),
        ("no nonce", "nonce", json!(null), Signature::Right),
        ("another's key", "", json!(null), Signature::OfAnother),
        ("no signature", "", json!(null), Signature::None),
        ("the client's secret", "", json!(null), Signature::Hmac),
        ("another issuer", "iss", json!("https://evil.example"), Signature::Right),
        ("the issuer with a slash", "iss", json!(format!("{}/", provider.url)), Signature::Right),
        ("no issuer", "iss", json!(null), Signature::Right),
        ("another's audience", "aud", json!("other"), Signature::Right),
        ("an audience more", "aud", json!(["weft", "other"]), Signature::Right),
        ("no audience", "aud", json!([]), Signature::Right),
        ("of another client", "azp", json!("other"), Signature::Right),
        ("expired", "exp", json!(now), Signature::Right),
        ("of tomorrow", "iat", json!(now + 86_400), Signature::Right),
        ("of another access token", "at_hash", json!("bm90IHRoaXMgb25lIQ"), Signature::Right),
    ];
    for (what, name, value, signature) in cases {
        let mut browser = Browser::of(&server);
        let asked = browser.leave().await;
        let mut claims = provider.claims(&asked, "lin");
        match (name, value) {
            ("", _) => {}
            (name, Value::Null) => drop(claims.as_object_mut().unwrap().remove(name)),
            (name, value) => claims[name] = value,
        }
        let code = provider.code(&asked, &claims, signature);
        let location = browser.back(&asked, &code).await;
        assert!(location.starts_with("/signin?failed=oidc_failed&"), "{what}: {location}");
        assert!(browser.cookies.is_empty(), "{what}: {:?}", browser.cookies);
    }
    // The same, untouched.
    provider.told().userinfo = json!({"sub": "lin"});
    assert_eq!(Browser::of(&server).sign_in(&provider, "lin").await, "/o/plan");
}

#[tokio::test]
async fn an_answer_is_taken_once_from_the_browser_that_was_sent() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    provider.told().userinfo = json!({"sub": "eve"});
    let mut eve = Browser::of(&server);
    let asked = eve.leave().await;
    let code = provider.code(&asked, &provider.claims(&asked, "eve"), Signature::Right);

    // Another browser must not be signed in as Eve, and does not disturb her.
    let mut victim = Browser::of(&server);
    failed(&victim.back(&asked, &code).await, "oidc_expired");
    let own = victim.leave().await;
    failed(&victim.back(&asked, &code).await, "oidc_expired");
    assert!(!victim.cookies.contains_key("weft_session"));
    // Nor does another's code help: it belongs to another verifier.
    failed(&victim.back(&own, &code).await, "oidc_failed");
    assert!(victim.cookies.is_empty());

    let code = provider.code(&asked, &provider.claims(&asked, "eve"), Signature::Right);
    for query in ["", "?code=x", "?state=x&code=x", "?state=&code=", "?state=a&state=b&code=x"] {
        let location = eve.clone().sent_to(&format!("/auth/oidc/callback{query}")).await;
        failed(&location, "oidc_expired");
    }
    let before = eve.clone();
    assert_eq!(eve.back(&asked, &code).await, "/o/plan");
    // With the cookies of then, and a code that was never used.
    let code = provider.code(&asked, &provider.claims(&asked, "eve"), Signature::Right);
    failed(&before.clone().back(&asked, &code).await, "oidc_expired");
    failed(&eve.back(&asked, &code).await, "oidc_expired");

    // Too late.
    let mut late = Browser::of(&server);
    let asked = late.leave().await;
    let code = provider.code(&asked, &provider.claims(&asked, "eve"), Signature::Right);
    server.clock.advance(10 * MINUTE);
    failed(&late.back(&asked, &code).await, "oidc_expired");
}

#[tokio::test]
async fn the_provider_may_say_no_and_nobody_else_may_answer() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let mut browser = Browser::of(&server);
    let state = browser.leave().await.get("state").to_owned();
    let location =
        browser.sent_to(&format!("/auth/oidc/callback?state={state}&error=access_denied")).await;
    failed(&location, "oidc_refused");
    let asked = browser.leave().await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
    let state = asked.get("state");
    let path = format!("/auth/oidc/callback?state={state}&code={code}&iss=https://evil.example");
    failed(&browser.sent_to(&path).await, "oidc_failed");
    let state = browser.leave().await.get("state").to_owned();
    failed(&browser.sent_to(&format!("/auth/oidc/callback?state={state}")).await, "oidc_failed");
}

#[tokio::test]
async fn a_sign_in_leads_nowhere_else() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    for evil in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "%2F%2Fevil.example",
        "javascript:alert(1)",
        "/api/v1/auth/logout",
        "",
        "/home%0d%0aset-cookie:%20weft_session=x",
        &format!("/{}", "a".repeat(3_000)),
    ] {
        let answer = Browser::of(&server).get(&format!("/auth/oidc/start?return={evil}")).await;
        let told = answer.refused(400, "bad_request");
        assert_eq!(told, json!({"field": "return", "reason": "malformed"}), "{evil}");
        assert_eq!((answer.header("location"), answer.header("set-cookie")), ("", ""));
    }
    Browser::of(&server)
        .get("/auth/oidc/start?return=/a&return=/b")
        .await
        .refused(400, "bad_request");
    let asked = Asked::of(&Browser::of(&server).sent_to("/auth/oidc/start").await);
    assert_eq!(asked.page, format!("{}/page", provider.url));
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_taken_over() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    provider.told().userinfo = json!({"sub": "lin"});
    let mut browser = Browser::of(&server);
    let planted = "A".repeat(43);
    browser.cookies.insert("weft_session".to_owned(), planted.clone());
    browser.cookies.insert("weft_oidc".to_owned(), planted.clone());
    let asked = browser.leave().await;
    assert_ne!(browser.cookies["weft_oidc"], planted);
    let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
    assert_eq!(browser.back(&asked, &code).await, "/o/plan");
    assert_ne!(browser.cookies["weft_session"], planted);
    browser.me().await;
    server.stranger().cookie(&planted).get("/auth/me").await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn by_https_no_other_host_can_plant_the_cookie() {
    let provider = Provider::start().await;
    let url = "https://weft.example.org";
    let server = provider.server(|config| config.public_url = Some(url.parse().unwrap())).await;
    let mut browser = Browser::of(&server);
    let asked = browser.leave().await;
    assert_eq!(asked.get("redirect_uri"), format!("{url}/api/v1/auth/oidc/callback"));
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-weft_oidc"]);
    let secret = browser.cookies.remove("__Host-weft_oidc").unwrap();
    browser.cookies.insert("weft_oidc".to_owned(), secret);
    let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
    failed(&browser.back(&asked, &code).await, "oidc_expired");
}

#[tokio::test]
async fn without_a_provider_there_is_nothing() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    assert_eq!(lin.get("/auth/setup").await.expect(200)["oidc"], json!(null));
    for path in ["start", "callback", "identity"] {
        lin.get(&format!("/auth/oidc/{path}")).await.refused(404, "not_found");
    }
    for path in ["join", "code", "link", "unlink", "confirm"] {
        let form = json!({"invite": "x", "code": "1", "password": PASSWORD});
        lin.post(&format!("/auth/oidc/{path}"), form).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_again_and_new_keys_are_learnt() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let mut browser = Browser::of(&server);
    for broken in [elsewhere, endless, in_vain] as [fn() -> axum::response::Response; 3] {
        provider.told().broken = Some(broken);
        failed(&browser.sent_to("/auth/oidc/start?return=/o/plan").await, "oidc_unreachable");
    }
    provider.told().broken = None;
    // A description that is another's.
    provider.told().description = json!({"issuer": "https://evil.example"});
    failed(&browser.sent_to("/auth/oidc/start?return=/o/plan").await, "oidc_unreachable");
    provider.told().description = json!({});
    provider.told().userinfo = json!({"sub": "lin"});
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.sign_in(&provider, "lin").await, "/o/plan");
    let asked = provider.told().descriptions_asked;
    assert_eq!(browser.sign_in(&provider, "lin").await, "/o/plan");
    assert_eq!(provider.told().descriptions_asked, asked, "it is remembered");

    // It signs with another key from now on.
    (provider.told().signs, provider.told().publishes) = ('b', 'b');
    assert_eq!(browser.sign_in(&provider, "lin").await, "/o/plan");
    assert_eq!(provider.told().descriptions_asked, asked + 1);
    // One that it does not publish.
    provider.told().signs = 'c';
    failed(&browser.sign_in(&provider, "lin").await, "oidc_failed");
}

#[tokio::test]
async fn many_browsers_are_bounded() {
    let provider = Provider::start().await;
    let server = provider
        .server(|config| {
            config.limits.oidc_journeys_max = 1;
            config.limits.oidc_starts_per_address_per_minute = 3;
        })
        .await;
    provider.told().userinfo = json!({"sub": "lin"});
    let mut first = Browser::of(&server);
    let asked = first.leave().await;
    let mut second = Browser::of(&server);
    assert_eq!(second.sign_in(&provider, "lin").await, "/o/plan");
    let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
    // There was room for one.
    failed(&first.back(&asked, &code).await, "oidc_expired");
    first.leave().await;
    failed(&first.sent_to("/auth/oidc/start?return=/o/plan").await, "too_many_attempts");
}

#[tokio::test]
async fn who_is_signed_in_links_an_identity_and_unlinks_it() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.registration = Some(Registration::Open)).await;
    server.person("lin").await;
    server.person("bo").await;
    let mut lin = with_password(&server, "lin").await;
    let none = json!({"provider": "Example", "linked_at": null});
    assert_eq!(lin.get("/auth/oidc/identity").await.expect(200), none);
    let unlink = json!({"password": PASSWORD});
    lin.post("/auth/oidc/unlink", unlink.clone()).await.refused(404, "not_found");
    lin.post("/auth/oidc/link", json!({"password": "a guess"}))
        .await
        .refused(401, "wrong_credentials");
    lin.post("/auth/oidc/link", json!({})).await.refused(400, "bad_request");
    // Another site's page cannot begin it.
    let forged = lin.caller.clone().header("origin", "https://evil.example");
    let forged = forged.header("cookie", &format!("weft_session={}", lin.cookies["weft_session"]));
    forged.post("/auth/oidc/link", json!({"password": PASSWORD})).await.refused(403, "bad_origin");

    let form = json!({"password": PASSWORD});
    let asked = leave_by(&mut lin, "/auth/oidc/link", form.clone()).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin-1"), Signature::Right);
    // Signed out, or somebody else meanwhile.
    let mut other = lin.clone();
    let stranger = with_password(&server, "bo").await.cookies["weft_session"].clone();
    other.cookies.insert("weft_session".to_owned(), stranger);
    assert_eq!(other.back(&asked, &code).await, "/settings?failed=not_signed_in");
    let asked = leave_by(&mut lin, "/auth/oidc/link", form.clone()).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin-1"), Signature::Right);
    assert_eq!(lin.back(&asked, &code).await, "/settings?oidc=linked");
    let identity = lin.get("/auth/oidc/identity").await.expect(200);
    assert_eq!(identity["linked_at"], NOW);
    lin.post("/auth/oidc/link", form.clone()).await.refused(409, "identity_linked");

    let mut again = Browser::of(&server);
    assert_eq!(again.sign_in(&provider, "lin-1").await, "/o/plan");
    assert_eq!(again.me().await["username"], "lin");
    // It is nobody else's.
    let mut bo = with_password(&server, "bo").await;
    let asked = leave_by(&mut bo, "/auth/oidc/link", form).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin-1"), Signature::Right);
    assert_eq!(bo.back(&asked, &code).await, "/settings?failed=identity_taken");

    lin.post("/auth/oidc/unlink", json!({"password": "a guess"}))
        .await
        .refused(401, "wrong_credentials");
    lin.post("/auth/oidc/unlink", unlink).await.expect(204);
    assert_eq!(lin.get("/auth/oidc/identity").await.expect(200), none);
    provider.told().userinfo = json!({"sub": "lin-1"});
    let mut new = Browser::of(&server);
    assert_eq!(new.sign_in(&provider, "lin-1").await, "/o/plan");
    assert_ne!(new.me().await["username"], "lin");

    let (admin, _) = server.set_up().await;
    let acts = admin.get("/admin/audit?limit=100").await.expect(200)["acts"].clone();
    for code in ["identity_linked", "identity_unlinked", "account_made"] {
        let of = |act: &&Value| act["act"] == code && act["params"]["provider"] == provider.url;
        let act = acts.as_array().unwrap().iter().find(of).expect(code);
        assert_eq!(act["by"], act["person"], "{act}");
    }
}

#[tokio::test]
async fn whoever_has_no_password_stays_linked_until_they_have_one() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    provider.told().userinfo = json!({"sub": "lin", "preferred_username": "lin"});
    let mut lin = Browser::of(&server);
    lin.sign_in(&provider, "lin").await;
    let unlink = json!({"password": PASSWORD});
    lin.post("/auth/oidc/unlink", unlink.clone()).await.refused(409, "no_password");

    // Minutes after the provider has seen them they need no password; later they do.
    let first = json!({"new_password": PASSWORD});
    server.clock.advance(5 * MINUTE);
    lin.post("/auth/password", first.clone()).await.refused(403, "sign_in_again");
    lin.post("/auth/second-factor", json!({})).await.refused(403, "sign_in_again");
    lin.post("/auth/leave", json!({})).await.refused(403, "sign_in_again");
    let address = json!({"email": "lin@example.org"});
    let sent = |browser: &Browser| {
        browser
            .caller
            .clone()
            .header("cookie", &format!("weft_session={}", browser.cookies["weft_session"]))
    };
    sent(&lin).patch("/auth/me", address).await.refused(403, "sign_in_again");
    lin.post("/auth/confirm", json!({"password": ""})).await.refused(401, "wrong_credentials");

    let asked = leave_by(&mut lin, "/auth/oidc/confirm", json!({"return": "/settings?a=b"})).await;
    assert_eq!((asked.get("max_age"), asked.get("prompt")), ("0", "login"));
    let mut claims = provider.claims(&asked, "lin");
    let now = server.clock.now() / 1000;
    for (name, value) in [("auth_time", now), ("iat", now), ("exp", now + 60)] {
        claims[name] = json!(value);
    }
    let code = provider.code(&asked, &claims, Signature::Right);
    assert_eq!(lin.back(&asked, &code).await, "/settings?a=b&oidc=confirmed");
    lin.post("/auth/password", first).await.expect(204);
    lin.post("/auth/password", json!({"new_password": "another one"}))
        .await
        .refused(400, "bad_request");
    lin.post("/auth/oidc/unlink", unlink).await.expect(204);
    with_password(&server, "lin").await;
}

#[tokio::test]
async fn an_old_sign_in_is_shown_to_the_provider_again() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let (admin, _) = server.set_up().await;
    provider.told().userinfo = json!({"sub": "lin", "preferred_username": "lin"});
    let mut lin = Browser::of(&server);
    lin.sign_in(&provider, "lin").await;
    let make = json!({"name": "x", "scopes": ["read"]});
    lin.post("/tokens", make.clone()).await.expect(201);
    server.clock.advance(7 * DAY);
    lin.post("/tokens", make.clone()).await.refused(403, "sign_in_again");

    let now = server.clock.now() / 1000;
    let old = now - 3_600;
    for (subject, auth_time, code) in [
        ("lin", json!(old), "oidc_failed"),
        ("lin", json!(null), "oidc_failed"),
        ("bo", json!(now), "other_identity"),
    ] {
        let asked = leave_by(&mut lin, "/auth/oidc/confirm", json!({"return": "/home"})).await;
        let mut claims = provider.claims(&asked, subject);
        (claims["iat"], claims["exp"], claims["auth_time"]) =
            (json!(now), json!(now + 60), auth_time);
        let word = provider.code(&asked, &claims, Signature::Right);
        assert_eq!(lin.back(&asked, &word).await, format!("/home?failed={code}"));
        lin.post("/tokens", make.clone()).await.refused(403, "sign_in_again");
    }
    let asked = leave_by(&mut lin, "/auth/oidc/confirm", json!({"return": "/home"})).await;
    let mut claims = provider.claims(&asked, "lin");
    (claims["iat"], claims["exp"], claims["auth_time"]) = (json!(now), json!(now + 60), json!(now));
    let word = provider.code(&asked, &claims, Signature::Right);
    assert_eq!(lin.back(&asked, &word).await, "/home?oidc=confirmed");
    lin.post("/tokens", make.clone()).await.expect(201);

    // A sign-in is as fresh as what the provider has seen, not as the cookie.
    let mut stale = Browser::of(&server);
    let asked = stale.leave().await;
    let mut claims = provider.claims(&asked, "lin");
    (claims["iat"], claims["exp"], claims["auth_time"]) =
        (json!(now), json!(now + 60), json!(now - 8 * 86_400));
    let word = provider.code(&asked, &claims, Signature::Right);
    assert_eq!(stale.back(&asked, &word).await, "/o/plan");
    stale.post("/tokens", make).await.refused(403, "sign_in_again");
    // Nobody confirms who has no identity.
    let mut admins = Browser::of(&server);
    admins.cookies.insert("weft_session".to_owned(), token_of(&admin));
    admins.post("/auth/oidc/confirm", json!({})).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_second_factor_of_ones_own_is_still_asked_for() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.registration = Some(Registration::Open)).await;
    let lin = server.person("lin").await;
    let (totp, recovery) = turn_on(&server, &lin).await;
    let mut browser = with_code(&server, &recovery[0]).await;
    let asked = leave_by(&mut browser, "/auth/oidc/link", json!({"password": PASSWORD})).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin-1"), Signature::Right);
    assert_eq!(browser.back(&asked, &code).await, "/settings?oidc=linked");
    drop(totp);

    let mut half = Browser::of(&server);
    assert_eq!(half.sign_in(&provider, "lin-1").await, "/signin?step=code&next=%2Fo%2Fplan");
    assert_eq!(half.cookies.keys().collect::<Vec<_>>(), ["weft_oidc"]);
    half.get("/auth/me").await.refused(401, "not_signed_in");
    Browser::of(&server)
        .post("/auth/oidc/code", json!({"code": recovery[1]}))
        .await
        .refused(410, "oidc_expired");
    half.post("/auth/oidc/code", json!({"code": "nonsense"})).await.refused(401, "wrong_code");
    half.post("/auth/oidc/code", json!({"code": ""})).await.refused(401, "second_factor_needed");
    // What is known of a half opens nothing, and is no answer of the provider.
    let secret = half.cookies["weft_oidc"].clone();
    server.stranger().cookie(&secret).get("/auth/me").await.refused(401, "not_signed_in");
    let before = half.clone();
    half.post("/auth/oidc/code", json!({"code": recovery[1]})).await.expect(200);
    assert_eq!(half.me().await["username"], "lin");
    assert_eq!(half.cookies.keys().collect::<Vec<_>>(), ["weft_session"]);
    before
        .clone()
        .post("/auth/oidc/code", json!({"code": recovery[2]}))
        .await
        .refused(410, "oidc_expired");

    // Who is unlinked, or deactivated, meanwhile is not let in.
    let mut late = Browser::of(&server);
    late.sign_in(&provider, "lin-1").await;
    half.post("/auth/oidc/unlink", json!({"password": PASSWORD})).await.expect(204);
    late.post("/auth/oidc/code", json!({"code": recovery[3]})).await.refused(410, "oidc_expired");
}

/// The browser of Lin, who has a second factor.
async fn with_code(server: &Server, code: &str) -> Browser {
    let mut browser = Browser::of(server);
    let form = json!({"username": "lin", "password": PASSWORD, "code": code});
    browser.post("/auth/login", form).await.expect(200);
    browser
}

#[tokio::test]
async fn whoever_is_deactivated_stays_out_and_whoever_has_left_begins_anew() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let (admin, _) = server.set_up().await;
    provider.told().userinfo = json!({"sub": "lin", "preferred_username": "lin"});
    let mut lin = Browser::of(&server);
    lin.sign_in(&provider, "lin").await;
    let id = lin.me().await["id"].as_str().unwrap().to_owned();
    let person = format!("/admin/people/{id}");
    admin.patch(&person, json!({"active": false})).await.expect(200);
    lin.get("/auth/me").await.refused(401, "not_signed_in");
    let mut again = Browser::of(&server);
    failed(&again.sign_in(&provider, "lin").await, "account_deactivated");
    assert!(again.cookies.is_empty());
    let acts = admin.get("/admin/audit").await.expect(200)["acts"].clone();
    let of = |act: &&Value| act["act"] == "sign_in_failed";
    let act = acts.as_array().unwrap().iter().find(of).unwrap();
    assert_eq!(
        (&act["params"]["reason"], &act["person"]["id"]),
        (&json!("deactivated"), &json!(id))
    );
    admin.patch(&person, json!({"active": true})).await.expect(200);
    assert_eq!(again.sign_in(&provider, "lin").await, "/o/plan");

    let gone = json!({"heir": "admin"});
    admin.post(&format!("{person}/delete"), gone).await.expect(204);
    let mut new = Browser::of(&server);
    assert_eq!(new.sign_in(&provider, "lin").await, "/o/plan");
    assert_ne!(new.me().await["id"], json!(id));
}

#[tokio::test]
async fn a_link_to_the_workspace_lets_in_somebody_new_whoever_may_register() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.oidc.as_mut().unwrap().sign_up = false).await;
    let (admin, _) = server.set_up().await;
    let secret = link_to_workspace(&admin, json!({"uses_max": 5})).await;
    for (count, mode) in ["closed", "invite", "open"].into_iter().enumerate() {
        register_by(&admin, mode).await;
        provider.told().userinfo = json!({"sub": mode, "preferred_username": mode});
        let mut browser = Browser::of(&server);
        let asked = leave_to_join(&mut browser, &secret).await;
        assert!(asked.query.values().all(|value| !value.contains(&secret)), "{asked:?}");
        assert_eq!((asked.get("max_age"), asked.get("ui_locales")), ("604800", "zh"));
        let code = provider.code(&asked, &provider.claims(&asked, mode), Signature::Right);
        assert_eq!(browser.back(&asked, &code).await, "/invite");
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["weft_session"]);
        let me = browser.me().await;
        assert_eq!(
            (&me["username"], &me["language"], &me["has_password"]),
            (&json!(mode), &json!("zh"), &json!(false))
        );
        assert_eq!(uses(&admin).await, [count as u64 + 1]);

        // Who has an account is signed in, and uses nothing up.
        let mut again = Browser::of(&server);
        assert_eq!(join(&mut again, &secret, &provider, mode).await, "/invite");
        assert_eq!(again.me().await["id"], me["id"]);
        assert_eq!(uses(&admin).await, [count as u64 + 1]);
    }
    assert!(!logged().contains(&secret), "a secret was logged");
}

#[tokio::test]
async fn a_link_to_a_room_lets_in_somebody_new_if_invite_links_do() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.oidc.as_mut().unwrap().sign_up = false).await;
    let (admin, _) = server.set_up().await;
    let room = admin.document("Plan").await;
    let secret = admin.invite(&room, json!({"right": "read"})).await;
    provider.told().userinfo = json!({"sub": "lin", "preferred_username": "lin"});
    register_by(&admin, "closed").await;
    let mut lin = Browser::of(&server);
    let location = join(&mut lin, &secret, &provider, "lin").await;
    assert_eq!(location, "/invite?failed=registration_closed");
    assert!(lin.cookies.is_empty());
    register_by(&admin, "invite").await;
    assert_eq!(join(&mut lin, &secret, &provider, "lin").await, "/invite");
    let accepted = lin.post("/invites/accept", json!({"secret": secret})).await.expect(200);
    assert_eq!(accepted["room"]["id"], room);
}

#[tokio::test]
async fn a_link_for_one_address_is_for_whom_the_provider_vouches_by_it() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let (admin, _) = server.set_up().await;
    let secret = link_to_workspace(&admin, json!({"email": "lin@example.org"})).await;
    for (subject, said) in [
        ("none", json!({})),
        ("unverified", json!({"email": "lin@example.org", "email_verified": false})),
        ("unsaid", json!({"email": "lin@example.org"})),
        ("another", json!({"email": "bo@example.org", "email_verified": true})),
        ("longer", json!({"email": "lin@example.org.evil.example", "email_verified": true})),
        ("alike", json!({"email": "l\u{131}n@example.org", "email_verified": true})),
    ] {
        let mut userinfo = said;
        userinfo["sub"] = json!(subject);
        provider.told().userinfo = userinfo;
        let mut browser = Browser::of(&server);
        let location = join(&mut browser, &secret, &provider, subject).await;
        assert_eq!(location, "/invite?failed=email_not_invited", "{subject}");
        assert!(browser.cookies.is_empty(), "{subject}");
        assert_eq!(uses(&admin).await, [0], "{subject}");
    }
    provider.told().userinfo =
        json!({"sub": "lin", "email": "Lin@Example.org", "email_verified": true});
    let mut lin = Browser::of(&server);
    assert_eq!(join(&mut lin, &secret, &provider, "lin").await, "/invite");
    let me = lin.me().await;
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("Lin@Example.org"), &json!(true)));
    assert_eq!(uses(&admin).await, [0; 0]);
}

#[tokio::test]
async fn a_link_that_lets_nobody_in_is_not_used_up() {
    let provider = Provider::start().await;
    let server = provider
        .server(|config| {
            let oidc = config.oidc.as_mut().unwrap();
            oidc.email_domains = vec!["example.org".parse().unwrap()];
        })
        .await;
    let (admin, _) = server.set_up().await;
    let address = json!({"email": "admin@example.org", "password": PASSWORD});
    admin.patch("/auth/me", address).await.expect(200);
    let secret = link_to_workspace(&admin, json!({"uses_max": 1})).await;
    for (email, code) in
        [("eve@evil.example", "email_not_allowed"), ("ADMIN@example.org", "email_taken")]
    {
        provider.told().userinfo = json!({"sub": "eve", "email": email, "email_verified": true});
        let location = join(&mut Browser::of(&server), &secret, &provider, "eve").await;
        assert_eq!(location, format!("/invite?failed={code}"));
        assert_eq!(uses(&admin).await, [0]);
    }

    // Nor does another browser, or another site's page, begin or end what this one has begun.
    let mut lin = Browser::of(&server);
    let asked = leave_to_join(&mut lin, &secret).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
    failed(&Browser::of(&server).back(&asked, &code).await, "oidc_expired");
    let forged = server.stranger().header("origin", "https://evil.example");
    let form = json!({"invite": secret});
    let told = forged.post("/auth/oidc/join", form).await;
    told.refused(403, "bad_origin");
    assert_eq!(told.header("set-cookie"), "");
    provider.told().userinfo =
        json!({"sub": "lin", "email": "lin@example.org", "email_verified": true});
    assert_eq!(lin.back(&asked, &code).await, "/invite");
}

#[tokio::test]
async fn a_link_that_has_ended_lets_nobody_in() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let (admin, _) = server.set_up().await;
    provider.told().userinfo = json!({"sub": "lin"});
    let revoked = admin.post("/admin/invites", json!({})).await.expect(201);
    let short = link_to_workspace(&admin, json!({"expires_in_seconds": 60})).await;
    let mut browsers = Vec::new();
    for secret in [revoked["secret"].as_str().unwrap(), short.as_str()] {
        let mut browser = Browser::of(&server);
        let asked = leave_to_join(&mut browser, secret).await;
        browsers.push((browser, asked, secret));
    }
    let id = revoked["invite"]["id"].as_str().unwrap();
    admin.delete(&format!("/admin/invites/{id}")).await.expect(204);
    server.clock.advance(MINUTE);
    for (mut browser, asked, secret) in browsers {
        let code = provider.code(&asked, &provider.claims(&asked, "lin"), Signature::Right);
        assert_eq!(browser.back(&asked, &code).await, "/invite?failed=link_expired");
        // From then on nobody is sent to the provider with it.
        let form = json!({"invite": secret});
        browser.post("/auth/oidc/join", form).await.refused(410, "link_expired");
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    }
    let mut browser = Browser::of(&server);
    browser.post("/auth/oidc/join", json!({})).await.refused(400, "bad_request");
    browser.post("/auth/oidc/join", json!({"invite": "x"})).await.refused(410, "link_expired");
}

#[tokio::test]
async fn of_two_who_come_by_the_last_use_one_is_let_in() {
    let provider = Provider::start().await;
    let server = provider.server(|_| {}).await;
    let (admin, _) = server.set_up().await;
    for round in 0..10 {
        let secret = link_to_workspace(&admin, json!({"uses_max": 1})).await;
        let mut answers = Vec::new();
        for who in ["ann", "ben"] {
            let mut browser = Browser::of(&server);
            let asked = leave_to_join(&mut browser, &secret).await;
            let mut claims = provider.claims(&asked, &format!("{who}-{round}"));
            // All that is asked for is in the token: the two are not told apart by another question.
            let named = json!(format!("{who}{round}"));
            claims["preferred_username"] = named.clone();
            claims["name"] = named;
            claims["email"] = json!(format!("{who}{round}@example.org"));
            let code = provider.code(&asked, &claims, Signature::Right);
            answers.push(tokio::spawn(async move {
                let location = browser.back(&asked, &code).await;
                (location, browser)
            }));
        }
        let mut told = Vec::new();
        for answer in answers {
            let (location, mut browser) = answer.await.unwrap();
            match &*location {
                "/invite" => drop(browser.me().await),
                _ => assert!(browser.cookies.is_empty(), "{:?}", browser.cookies),
            }
            told.push(location);
        }
        told.sort_unstable();
        assert_eq!(told, ["/invite", "/invite?failed=link_expired"]);
        assert_eq!(uses(&admin).await, [0; 0]);
        let people = admin.get("/admin/people").await.expect(200)["people"].clone();
        assert_eq!(people.as_array().unwrap().len(), 2 + round);
    }
}

#[tokio::test]
async fn who_has_a_second_factor_shows_a_code_before_coming_back_to_the_link() {
    let provider = Provider::start().await;
    let server = provider.server(|config| config.registration = Some(Registration::Open)).await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let (_, recovery) = turn_on(&server, &lin).await;
    let mut browser = with_code(&server, &recovery[0]).await;
    let asked = leave_by(&mut browser, "/auth/oidc/link", json!({"password": PASSWORD})).await;
    let code = provider.code(&asked, &provider.claims(&asked, "lin-1"), Signature::Right);
    browser.back(&asked, &code).await;

    let secret = link_to_workspace(&admin, json!({})).await;
    let mut half = Browser::of(&server);
    let location = join(&mut half, &secret, &provider, "lin-1").await;
    assert_eq!(location, "/signin?step=code&next=%2Finvite");
    half.post("/auth/oidc/code", json!({"code": recovery[1]})).await.expect(200);
    assert_eq!(half.me().await["username"], "lin");
    assert_eq!(uses(&admin).await, [0]);
}
