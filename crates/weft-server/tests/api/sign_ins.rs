//! Sign-ins: cookies, origins, rate limits, ends, and what the log must not hold.

use serde_json::json;
use weft_server::config::{PublicUrl, Registration};

use crate::support::{Caller, DAY, MINUTE, PASSWORD, Server, logged};

async fn token_of(server: &Server, username: &str) -> String {
    let login = json!({"username": username, "password": PASSWORD});
    let answer = server.stranger().post("/auth/login", login).await.expect(200);
    answer["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let server = Server::open().await;
    let form = json!({"username": "lin", "password": PASSWORD, "email": "lin@example.org"});
    let answer = server.stranger().post("/auth/register", form).await;
    let token = answer.expect(200)["token"].as_str().unwrap().to_owned();
    let expected = format!("weft_session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000");
    assert_eq!(answer.header("set-cookie"), expected);

    // Opening the app moves the cookie's end; signing out removes it.
    let browser = server.stranger().cookie(&token);
    assert_eq!(browser.get("/auth/me").await.header("set-cookie"), expected);
    let out = browser.post("/auth/logout", json!({})).await;
    assert_eq!(out.status, 204);
    assert_eq!(
        out.header("set-cookie"),
        "weft_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
    );
    browser.get("/auth/me").await.refused(401, "not_signed_in");
    server.stranger().bearer(&token).get("/auth/me").await.refused(401, "not_signed_in");
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_the_origin_is_the_public_one() {
    let url: PublicUrl = "https://weft.example.org".parse().unwrap();
    let server = Server::with(|config| {
        config.registration = Some(Registration::Open);
        config.public_url = Some(url);
    })
    .await;
    assert!(server.running.setup_link().unwrap().starts_with("https://weft.example.org/setup#"));
    server.person("lin").await;
    let login = json!({"username": "lin", "password": PASSWORD});
    let answer = server.stranger().post("/auth/login", login).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
    let token = answer.expect(200)["token"].as_str().unwrap().to_owned();
    let room = json!({"kind": "doc", "title": ""});
    let from = |origin: &str| server.stranger().cookie(&token).header("origin", origin);
    from("https://weft.example.org").post("/rooms", room.clone()).await.expect(201);
    // The host of the request is no proof any more.
    let own = server.stranger().base;
    for origin in [own.as_str(), "http://weft.example.org", "https://weft.example.org.evil"] {
        from(origin).post("/rooms", room.clone()).await.refused(403, "bad_origin");
    }
}

#[tokio::test]
async fn a_cookie_changes_things_from_our_own_pages_alone() {
    let server = Server::open().await;
    server.person("lin").await;
    let token = token_of(&server, "lin").await;
    let room = json!({"kind": "doc", "title": ""});
    let browser = server.stranger().header("cookie", &format!("weft_session={token}"));
    browser.post("/rooms", room.clone()).await.refused(403, "bad_origin");
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let evil = browser.clone().header("origin", origin);
        evil.post("/rooms", room.clone()).await.refused(403, "bad_origin");
        evil.post("/auth/logout", json!({})).await.refused(403, "bad_origin");
        let login = json!({"username": "lin", "password": PASSWORD});
        evil.post("/auth/login", login.clone()).await.refused(403, "bad_origin");
        evil.post("/auth/register", login.clone()).await.refused(403, "bad_origin");
        evil.post("/auth/setup", login).await.refused(403, "bad_origin");
    }
    browser.get("/rooms").await.expect(200);
    server.stranger().cookie(&token).post("/rooms", room.clone()).await.expect(201);
    // Programs show a token that no other site has, from wherever they come.
    let program = server.stranger().bearer(&token).header("origin", "http://evil.example");
    program.post("/rooms", room).await.expect(201);
}

#[tokio::test]
async fn a_bad_bearer_is_not_made_up_for_by_a_cookie() {
    let server = Server::open().await;
    server.person("lin").await;
    let token = token_of(&server, "lin").await;
    let both = server.stranger().cookie(&token).bearer("wrong");
    both.get("/auth/me").await.refused(401, "not_signed_in");
    let basic = server.stranger().cookie(&token).header("authorization", "Basic eDp5");
    basic.get("/auth/me").await.refused(401, "not_signed_in");
    // Only sockets take a token in the URL.
    let query = server.stranger().get(&format!("/auth/me?token={token}")).await;
    query.refused(401, "not_signed_in");
}

#[tokio::test]
async fn a_sign_in_ends_thirty_days_after_its_last_use() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    server.clock.advance(29 * DAY);
    lin.get("/auth/me").await.expect(200);
    server.clock.advance(29 * DAY);
    lin.get("/auth/me").await.expect(200);
    server.clock.advance(30 * DAY);
    lin.get("/auth/me").await.refused(401, "not_signed_in");
}

async fn try_password(caller: &Caller, username: &str, password: &str) -> u16 {
    let login = json!({"username": username, "password": password});
    caller.post("/auth/login", login).await.status
}

#[tokio::test]
async fn passwords_cannot_be_tried_out() {
    let server = Server::with(Server::limits(|limits| {
        limits.sign_in_attempts_per_minute = 3;
        limits.sign_in_attempts_per_address_per_minute = 5;
    }))
    .await;
    server.person("lin").await;
    let caller = server.stranger();
    // Right ones do not count.
    for _ in 0..6 {
        assert_eq!(try_password(&caller, "lin", PASSWORD).await, 200);
    }
    for _ in 0..3 {
        assert_eq!(try_password(&caller, "LIN", "wrong password").await, 401);
    }
    let login = json!({"username": "lin", "password": PASSWORD});
    let refused = caller.post("/auth/login", login).await;
    assert_eq!(refused.refused(429, "too_many_attempts"), json!({"retry_ms": 20_000}));
    assert_eq!(refused.header("retry-after"), "20");
    server.clock.advance(MINUTE / 3);
    assert_eq!(try_password(&caller, "lin", PASSWORD).await, 200);

    // Other names do not help for long: the address counts too.
    server.clock.advance(10 * MINUTE);
    let mut answers = Vec::new();
    for i in 0..7 {
        answers.push(try_password(&caller, &format!("nobody{i}"), "wrong password").await);
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn secrets_cannot_be_tried_out() {
    let server = Server::with(Server::limits(|limits| limits.secret_attempts_per_minute = 2)).await;
    let caller = server.stranger();
    let look = json!({"secret": "guess"});
    let setup = json!({"secret": "guess", "username": "x", "password": "x"});
    caller.post("/invites/look", look.clone()).await.refused(410, "link_expired");
    caller.post("/auth/setup", setup.clone()).await.refused(410, "link_expired");
    caller.post("/invites/look", look).await.refused(429, "too_many_attempts");
    caller.post("/auth/setup", setup).await.refused(429, "too_many_attempts");
}

#[tokio::test]
async fn trusted_proxies_tell_addresses_apart_and_others_cannot() {
    let limits = Server::limits(|limits| limits.secret_attempts_per_minute = 1);
    let server = Server::with(|config| {
        limits(config);
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let guess = async |from: &str| {
        let caller = server.stranger().header("x-forwarded-for", from);
        caller.post("/invites/look", json!({"secret": "guess"})).await.status
    };
    assert_eq!(guess("192.0.2.1").await, 410);
    assert_eq!(guess("192.0.2.1").await, 429);
    // What a client wrote itself stands before what the proxy added.
    assert_eq!(guess("198.51.100.7, 192.0.2.1").await, 429);
    assert_eq!(guess("192.0.2.2").await, 410);
    assert_eq!(guess("2001:db8::1").await, 410);
    assert_eq!(guess("2001:db8::2").await, 429);

    let server = Server::with(Server::limits(|limits| limits.secret_attempts_per_minute = 1)).await;
    for (from, status) in [("192.0.2.1", 410), ("192.0.2.2", 429)] {
        let caller = server.stranger().header("x-forwarded-for", from);
        let answer = caller.post("/invites/look", json!({"secret": "guess"})).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn secrets_never_reach_the_log() {
    let server = Server::open().await;
    let setup = server.setup_secret().unwrap();
    let (admin, welcome) = server.set_up().await;
    let invite = admin.invite(&welcome, json!({"right": "read"})).await;
    let workspace = admin.post("/admin/invites", json!({})).await.expect(201);
    let workspace = workspace["secret"].as_str().unwrap();
    server.stranger().post("/invites/look", json!({"secret": workspace})).await.expect(200);
    server.person("lin").await;
    let token = token_of(&server, "lin").await;
    server.stranger().cookie(&token).get("/auth/me").await.expect(200);
    server.stranger().get(&format!("//ws?token={token}")).await;
    server.stranger().get(&format!("//o/x?invite={invite}")).await;
    server
        .stranger()
        .bearer(&token)
        .post("/invites/accept", json!({"secret": invite}))
        .await
        .expect(200);
    let bad = json!({"username": "lin", "password": "a wrong password"});
    server.stranger().post("/auth/login", bad).await.refused(401, "wrong_credentials");
    server.stranger().bearer(&token).post("/auth/logout", json!({})).await;
    server.running.stop().await;

    let text = logged();
    assert!(text.contains("path=/api/v1/auth/login"), "requests are logged");
    for secret in [setup.as_str(), &invite, workspace, &token, PASSWORD, "a wrong password"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}
