//! Links by mail: to set a new password, to verify an address. Mail itself.

use serde_json::json;

use crate::{
    account::turn_on,
    smtp::Smtp,
    support::{Caller, DAY, MINUTE, PASSWORD, Server, logged},
    yjs::Client,
};

const NEW_PASSWORD: &str = "battery staple of mail";
const HOUR: u64 = 60 * MINUTE;

/// A server that sends mail, and where it arrives.
pub async fn with_mail() -> (Server, Smtp) {
    let smtp = Smtp::start().await;
    let server = Server::with(smtp.config()).await;
    (server, smtp)
}

/// Somebody with an address, verified or not.
pub async fn registered(
    server: &Server,
    smtp: &mut Smtp,
    username: &str,
    verified: bool,
) -> Caller {
    let email = format!("{username}@example.org");
    let form = json!({"username": username, "password": PASSWORD, "email": email});
    let answer = server.stranger().post("/auth/register", form).await.expect(200);
    let letter = smtp.letter().await;
    assert_eq!((letter.to, &answer["user"]["email_verified"]), (email, &json!(false)));
    if verified {
        let secret = json!({"secret": letter_secret(&letter.text)});
        server.stranger().post("/auth/verify", secret).await.expect(200);
    }
    server.stranger().bearer(answer["token"].as_str().unwrap())
}

fn letter_secret(text: &str) -> String {
    let (_, rest) = text.split_once('#').unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn ask(server: &Server, name: &str) {
    let answer = server.stranger().post("/auth/reset/ask", json!({"username": name})).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

#[tokio::test]
async fn a_mailed_link_sets_a_new_password_and_ends_every_sign_in() {
    let (server, mut smtp) = with_mail().await;
    let setup = server.stranger().get("/auth/setup").await.expect(200);
    assert_eq!(setup["mail"], true);
    let lin = registered(&server, &mut smtp, "lin", true).await;
    registered(&server, &mut smtp, "bo", false).await;
    let room = lin.document("Plan").await;
    let minted = lin.post("/room-tokens", json!({"room": room, "right": "edit"})).await.expect(201);
    let guest = server.stranger().bearer(minted["token"].as_str().unwrap());
    let mut yjs = Client::in_step(&guest, &room).await;
    let mut socket = lin.socket().await;

    // Nobody of that name, and somebody whose address is not verified: the same answer, and no letter.
    ask(&server, "nobody").await;
    ask(&server, "bo").await;
    ask(&server, "BO@example.org").await;
    ask(&server, "LIN@example.org").await;
    let letter = smtp.letter().await;
    assert_eq!(
        (letter.to.as_str(), letter.subject.as_str()),
        ("lin@example.org", "Set a new password for Weft")
    );
    assert!(letter.text.contains(&format!("{}/reset#", server.running.url())), "{}", letter.text);
    let first = letter.secret("reset");
    ask(&server, "Lin").await;
    let secret = smtp.letter().await.secret("reset");

    let stranger = server.stranger();
    let form = |secret: &str, password: &str| json!({"secret": secret, "password": password});
    stranger.post("/auth/reset", form(&first, NEW_PASSWORD)).await.refused(410, "link_expired");
    stranger.post("/auth/reset", form("x", NEW_PASSWORD)).await.refused(410, "link_expired");
    stranger.post("/auth/verify", json!({"secret": secret})).await.refused(410, "link_expired");
    let short = stranger.post("/auth/reset", form(&secret, "short")).await;
    assert_eq!(
        short.refused(400, "bad_request"),
        json!({"field": "password", "reason": "too_short"})
    );
    let done = stranger.post("/auth/reset", form(&secret, NEW_PASSWORD)).await.expect(200);
    assert_eq!(done, json!({"username": "lin"}));
    assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
    assert_eq!(yjs.closed().await, 4401);
    lin.get("/auth/me").await.refused(401, "not_signed_in");
    stranger.post("/auth/reset", form(&secret, NEW_PASSWORD)).await.refused(410, "link_expired");
    let login = |password: &str| json!({"username": "lin", "password": password});
    stranger.post("/auth/login", login(PASSWORD)).await.refused(401, "wrong_credentials");
    stranger.post("/auth/login", login(NEW_PASSWORD)).await.expect(200);

    let text = logged();
    for hidden in [NEW_PASSWORD, &first, &secret] {
        assert!(!text.contains(hidden), "a secret was logged");
    }
}

#[tokio::test]
async fn links_grow_old_and_the_address_that_they_went_to_may_change() {
    let (server, mut smtp) = with_mail().await;
    let lin = registered(&server, &mut smtp, "lin", true).await;
    ask(&server, "lin").await;
    let secret = smtp.letter().await.secret("reset");
    server.clock.advance(HOUR);
    let form = |secret: &str| json!({"secret": secret, "password": NEW_PASSWORD});
    server.stranger().post("/auth/reset", form(&secret)).await.refused(410, "link_expired");

    // Who reads mail at the address before must not set the password any more.
    ask(&server, "lin").await;
    let secret = smtp.letter().await.secret("reset");
    let change =
        |password: Option<&str>| json!({"email": "lin@elsewhere.org", "password": password});
    let missing = lin.patch("/auth/me", change(None)).await.refused(400, "bad_request");
    assert_eq!(missing, json!({"field": "password", "reason": "missing"}));
    lin.patch("/auth/me", change(Some("a guess"))).await.refused(401, "wrong_credentials");
    let user = lin.patch("/auth/me", change(Some(PASSWORD))).await.expect(200)["user"].clone();
    assert_eq!(
        (&user["email"], &user["email_verified"]),
        (&json!("lin@elsewhere.org"), &json!(false))
    );
    server.stranger().post("/auth/reset", form(&secret)).await.refused(410, "link_expired");

    let letter = smtp.letter().await;
    assert_eq!(
        (letter.to.as_str(), letter.subject.as_str()),
        ("lin@elsewhere.org", "Confirm your e-mail address")
    );
    let old = letter.secret("verify");
    assert_eq!(lin.post("/auth/verify/send", json!({})).await.status, 204);
    let secret = smtp.letter().await.secret("verify");
    let stranger = server.stranger();
    stranger.post("/auth/verify", json!({"secret": old})).await.refused(410, "link_expired");
    server.clock.advance(DAY - 1);
    let verified = stranger.post("/auth/verify", json!({"secret": secret})).await.expect(200);
    assert_eq!(verified, json!({"email": "lin@elsewhere.org"}));
    stranger.post("/auth/verify", json!({"secret": secret})).await.refused(410, "link_expired");
    let me = lin.get("/auth/me").await.expect(200);
    assert_eq!(me["user"]["email_verified"], true);

    // The same address again, and none, are no other one.
    let user = lin.patch("/auth/me", json!({"email": "lin@elsewhere.org"})).await.expect(200);
    assert_eq!(user["user"]["email_verified"], true);
    let gone = lin.patch("/auth/me", json!({"email": "", "password": PASSWORD})).await.expect(200);
    assert_eq!(
        (&gone["user"]["email"], &gone["user"]["email_verified"]),
        (&json!(null), &json!(false))
    );
    let missing = lin.post("/auth/verify/send", json!({})).await.refused(400, "bad_request");
    assert_eq!(missing, json!({"field": "email", "reason": "missing"}));
}

#[tokio::test]
async fn a_second_factor_stays_needed_after_a_reset() {
    let (server, mut smtp) = with_mail().await;
    let lin = registered(&server, &mut smtp, "lin", true).await;
    turn_on(&server, &lin).await;
    ask(&server, "lin").await;
    let secret = smtp.letter().await.secret("reset");
    let form = json!({"secret": secret, "password": NEW_PASSWORD});
    server.stranger().post("/auth/reset", form).await.expect(200);
    let login = json!({"username": "lin", "password": NEW_PASSWORD});
    server.stranger().post("/auth/login", login).await.refused(401, "second_factor_needed");
}

#[tokio::test]
async fn letters_are_in_the_readers_language() {
    let (server, mut smtp) = with_mail().await;
    let form = json!({
        "username": "林月", "password": PASSWORD, "email": "yue@example.org", "language": "zh-CN",
    });
    server.stranger().post("/auth/register", form).await.expect(200);
    let letter = smtp.letter().await;
    assert!(letter.text.contains("请打开以下链接确认"), "{}", letter.text);
    let secret = letter.secret("verify");
    server.stranger().post("/auth/verify", json!({"secret": secret})).await.expect(200);
    ask(&server, "林月").await;
    let letter = smtp.letter().await;
    assert!(letter.text.contains("为账号 林月 设置新密码"), "{}", letter.text);
}

#[tokio::test]
async fn asking_is_limited_from_an_address_and_for_a_person() {
    let mut smtp = Smtp::start().await;
    let config = smtp.config();
    let server = Server::with(|all| {
        config(all);
        all.limits.reset_asks_per_address_per_hour = 4;
        all.limits.reset_mails_per_hour = 1;
        all.limits.verify_mails_per_hour = 1;
    })
    .await;
    let (admin, _) = server.set_up().await;
    let lin = registered(&server, &mut smtp, "lin", true).await;
    for _ in 0..3 {
        ask(&server, "lin").await;
    }
    // One letter of the three: what comes after it is another one.
    smtp.letter().await.secret("reset");
    ask(&server, "nobody").await;
    let again = server.stranger().post("/auth/reset/ask", json!({"username": "bo"})).await;
    again.refused(429, "too_many_attempts");
    admin
        .patch("/auth/me", json!({"email": "a@example.org", "password": PASSWORD}))
        .await
        .expect(200);
    assert_eq!(smtp.letter().await.to, "a@example.org");
    admin.post("/auth/verify/send", json!({})).await.refused(429, "too_many_attempts");
    drop(lin);
}

#[tokio::test]
async fn without_mail_an_administrator_hands_the_link_over() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let stranger = server.stranger();
    assert_eq!(stranger.get("/auth/setup").await.expect(200)["mail"], false);
    stranger.post("/auth/reset/ask", json!({"username": "lin"})).await.refused(409, "no_mail");
    lin.post("/auth/verify/send", json!({})).await.refused(409, "no_mail");
    admin.post("/admin/mail-test", json!({})).await.refused(409, "no_mail");
    assert_eq!(admin.get("/admin/mail").await.expect(200), json!({"mail": false}));

    let id = lin.get("/auth/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/people/{id}/reset-link");
    lin.post(&path, json!({})).await.refused(403, "no_right");
    admin.post("/admin/people/x/reset-link", json!({})).await.refused(404, "not_found");
    let made = admin.post(&path, json!({})).await.expect(200);
    assert_eq!(made["expires_at"], server.clock.now() + DAY);
    let secret = letter_secret(made["url"].as_str().unwrap());
    let form = json!({"secret": secret, "password": NEW_PASSWORD});
    stranger.post("/auth/reset", form).await.expect(200);
    let login = json!({"username": "lin", "password": NEW_PASSWORD});
    stranger.post("/auth/login", login).await.expect(200);
}

#[tokio::test]
async fn letters_are_tried_again_and_administrators_see_how_it_goes() {
    let (server, mut smtp) = with_mail().await;
    let (admin, _) = server.set_up().await;
    let address = json!({"email": "a@example.org", "password": PASSWORD});
    smtp.refuse(&["451 greylisted, come back", "451 still grey"]);
    admin.patch("/auth/me", address).await.expect(200);
    smtp.letter().await.secret("verify");
    assert_eq!(admin.post("/admin/mail-test", json!({})).await.status, 204);
    assert_eq!(smtp.letter().await.subject, "Test mail from Weft");

    smtp.refuse(&["550 no such mailbox"]);
    let refused = admin.post("/admin/mail-test", json!({})).await.refused(502, "mail_failed");
    assert!(refused["why"].as_str().unwrap().contains("no such mailbox"), "{refused}");
    let mut state = admin.get("/admin/mail").await.expect(200);
    while state["waiting"] != 0 {
        state = admin.get("/admin/mail").await.expect(200);
    }
    assert_eq!(state["server"], smtp.address.to_string());
    assert_eq!((&state["sent"], &state["failed"]), (&json!(2), &json!(1)));
    assert_eq!((&state["waiting"], &state["from"]), (&json!(0), &json!("Weft <weft@example.org>")));
    assert!(state["failure"]["why"].as_str().unwrap().contains("no such mailbox"), "{state}");
    let metrics = server.stranger().get("//metrics").await;
    assert!(metrics.text.contains("weft_mails_total{outcome=\"put_off\"}"), "{}", metrics.text);
}

#[tokio::test]
async fn a_server_of_mail_that_cannot_encrypt_hears_nothing() {
    let smtp = Smtp::start().await;
    let url = format!("smtp://weft:hush-hush@{}", smtp.address);
    let config = smtp.config();
    let server = Server::with(|all| {
        config(all);
        let mail = all.mail.as_mut().unwrap();
        mail.smtp = url.parse().unwrap();
        assert!(!format!("{all:?}").contains("hush-hush"));
    })
    .await;
    let (admin, _) = server.set_up().await;
    let address = json!({"email": "a@example.org", "password": PASSWORD});
    admin.patch("/auth/me", address).await.expect(200);
    let refused = admin.post("/admin/mail-test", json!({})).await.refused(502, "mail_failed");
    assert!(refused["why"].as_str().is_some_and(|why| !why.is_empty()));
    assert!(!logged().contains("hush-hush"));
}
