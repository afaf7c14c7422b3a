//! Accounts: who may make one, and which names are free.

use serde_json::json;
use weft_server::config::Registration;

use crate::support::{DAY, NOW, PASSWORD, Server};

#[tokio::test]
async fn an_account_is_made_and_signed_in() {
    let server = Server::open().await;
    let form = json!({"username": "林月", "password": PASSWORD, "email": "lin@example.org"});
    let answer = server.stranger().post("/auth/register", form).await.expect(200);
    let lin = server.stranger().bearer(answer["token"].as_str().unwrap());
    let me = lin.get("/auth/me").await.expect(200);
    assert_eq!(me["user"], answer["user"]);
    assert_eq!(me["user"]["username"], "林月");
    assert_eq!(me["user"]["name"], "林月");
    assert_eq!(me["user"]["email"], "lin@example.org");
    assert_eq!(me["user"]["admin"], false);
    assert_eq!(me["workspace"], json!({"name": "", "registration": "open"}));
    assert!(me["server"]["version"].is_string());
}

#[tokio::test]
async fn user_names_are_unique_in_any_spelling() {
    let server = Server::open().await;
    server.person("林月A").await;
    for same in ["林月a", "林月Ａ"] {
        let form = json!({"username": same, "password": PASSWORD, "email": "x@example.org"});
        let answer = server.stranger().post("/auth/register", form).await;
        answer.refused(409, "username_taken");
    }
    let login = json!({"username": "林月ａ", "password": PASSWORD});
    server.stranger().post("/auth/login", login).await.expect(200);
}

#[tokio::test]
async fn what_is_typed_is_checked_field_by_field() {
    let server = Server::open().await;
    let refused = async |username: &str, password: &str, email: &str| {
        let form = json!({"username": username, "password": password, "email": email});
        let params =
            server.stranger().post("/auth/register", form).await.refused(400, "bad_request");
        (
            params["field"].as_str().unwrap().to_owned(),
            params["reason"].as_str().unwrap().to_owned(),
        )
    };
    let is = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(refused("x", PASSWORD, "a@b").await, is("username", "too_short"));
    assert_eq!(refused("x y", PASSWORD, "a@b").await, is("username", "malformed"));
    assert_eq!(refused("xy", "1234567", "a@b").await, is("password", "too_short"));
    assert_eq!(refused("xy", &"x".repeat(257), "a@b").await, is("password", "too_long"));
    assert_eq!(refused("xy", PASSWORD, "nothing").await, is("email", "malformed"));
    assert_eq!(refused("xy", PASSWORD, "").await, is("email", "missing"));
}

#[tokio::test]
async fn registration_by_invite_needs_a_link_that_works() {
    let server = Server::with(|_| ()).await;
    let (admin, welcome) = server.set_up().await;
    let stranger = server.stranger();
    let form =
        |invite: Option<&str>| json!({"username": "bo", "password": PASSWORD, "invite": invite});
    stranger.post("/auth/register", form(None)).await.refused(403, "registration_closed");
    stranger.post("/auth/register", form(Some("x"))).await.refused(410, "link_expired");
    let secret = admin.invite(&welcome, json!({"right": "edit"})).await;
    let answer = stranger.post("/auth/register", form(Some(&secret))).await.expect(200);
    assert_eq!(answer["user"]["email"], json!(null));

    // The account alone opens nothing; accepting the link does.
    let bo = stranger.bearer(answer["token"].as_str().unwrap());
    bo.get(&format!("/rooms/{welcome}")).await.refused(404, "not_found");
    let accepted = bo.post("/invites/accept", json!({"secret": secret})).await.expect(200);
    assert_eq!(accepted["room"]["id"], welcome);
    assert_eq!(accepted["room"]["right"], "edit");
}

#[tokio::test]
async fn closed_registration_is_closed_to_links_too() {
    let server = Server::with(|config| config.registration = Some(Registration::Closed)).await;
    let (admin, welcome) = server.set_up().await;
    let invite = admin.invite(&welcome, json!({"right": "edit"})).await;
    let form = json!({"username": "bo", "password": PASSWORD, "invite": invite});
    let answer = server.stranger().post("/auth/register", form).await;
    answer.refused(403, "registration_closed");
}

#[tokio::test]
async fn a_link_to_the_workspace_makes_accounts_and_opens_nothing() {
    let server = Server::with(|_| ()).await;
    let (admin, welcome) = server.set_up().await;
    let made = admin.post("/admin/invites", json!({"uses_max": 2})).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(made["url"], format!("{}/invite#{secret}", admin.base));
    let invite = json!({
        "id": made["invite"]["id"], "email": null, "invited_by": {"name": "admin"},
        "expires_at": NOW + 7 * DAY, "uses": 0, "uses_max": 2, "created_at": NOW,
    });
    assert_eq!(made["invite"], invite);
    assert_eq!(admin.get("/admin/invites").await.expect(200), json!({"invites": [invite]}));
    let stranger = server.stranger();
    let look = stranger.post("/invites/look", json!({"secret": secret})).await.expect(200);
    let expected =
        json!({"room": null, "right": null, "invited_by": {"name": "admin"}, "email": null});
    assert_eq!(look, expected);

    let register = async |username: &str| {
        let form = json!({"username": username, "password": PASSWORD, "invite": secret});
        stranger.post("/auth/register", form).await
    };
    let bo = register("bo").await.expect(200);
    let bo = stranger.clone().bearer(bo["token"].as_str().unwrap());
    bo.get(&format!("/rooms/{welcome}")).await.refused(404, "not_found");
    // Who is here already has what it promises, and uses nothing up.
    let accepted = bo.post("/invites/accept", json!({"secret": secret})).await.expect(200);
    assert_eq!(accepted, json!({"room": null}));
    register("BO").await.refused(409, "username_taken");
    register("cy").await.expect(200);
    register("dee").await.refused(410, "link_expired");
    stranger.post("/invites/look", json!({"secret": secret})).await.refused(410, "link_expired");
    assert_eq!(admin.get("/admin/invites").await.expect(200), json!({"invites": []}));
    for call in [bo.get("/admin/invites").await, bo.post("/admin/invites", json!({})).await] {
        assert_eq!(call.refused(403, "no_right"), json!({"needed": "admin"}));
    }
}

#[tokio::test]
async fn a_link_for_one_address_makes_one_account_and_ends_by_hand() {
    let limits = |config: &mut weft_server::Config| config.limits.workspace_invites_max = 2;
    let server = Server::with(limits).await;
    let (admin, _) = server.set_up().await;
    let stranger = server.stranger();
    let bad = json!({"email": "bo@example.org", "uses_max": 2});
    admin.post("/admin/invites", bad).await.refused(400, "bad_request");
    let made = admin.post("/admin/invites", json!({"email": "bo@example.org"})).await.expect(201);
    assert_eq!(made["invite"]["uses_max"], 1);
    let secret = made["secret"].as_str().unwrap();
    let look = stranger.post("/invites/look", json!({"secret": secret})).await.expect(200);
    assert_eq!(look["email"], "bo@example.org");
    let form = json!({"username": "bo", "password": PASSWORD, "invite": secret});
    let bo = stranger.post("/auth/register", form).await.expect(200);
    assert_eq!(bo["user"]["email"], "bo@example.org");

    let revoked = admin.post("/admin/invites", json!({})).await.expect(201);
    admin.post("/admin/invites", json!({"expires_in_seconds": 60})).await.expect(201);
    let full = admin.post("/admin/invites", json!({})).await.refused(400, "bad_request");
    assert_eq!(full, json!({"field": "invites", "reason": "too_many"}));
    let path = format!("/admin/invites/{}", revoked["invite"]["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    admin.delete(&path).await.refused(404, "not_found");
    let form = json!({"username": "cy", "password": PASSWORD, "invite": revoked["secret"]});
    stranger.post("/auth/register", form).await.refused(410, "link_expired");
    server.clock.advance(60_000);
    assert_eq!(admin.get("/admin/invites").await.expect(200), json!({"invites": []}));
}
