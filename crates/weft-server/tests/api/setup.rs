//! The set-up: the printed link makes the first administrator, and nothing else does.

use serde_json::{Value, json};

use crate::support::{DAY, PASSWORD, Server};

fn form(secret: &str) -> Value {
    json!({"secret": secret, "username": "admin", "password": PASSWORD, "language": "zh-CN"})
}

#[tokio::test]
async fn the_link_makes_one_administrator_who_lands_in_a_document() {
    let server = Server::with(|_| ()).await;
    let stranger = server.stranger();
    let secret = server.setup_secret().unwrap();
    assert_eq!(stranger.get("/auth/setup").await.expect(200)["needed"], true);
    let answer = stranger.post("/auth/setup", form(&secret)).await.expect(200);
    assert_eq!(answer["user"]["admin"], true);
    assert_eq!(stranger.get("/auth/setup").await.expect(200)["needed"], false);
    stranger.post("/auth/setup", form(&secret)).await.refused(409, "setup_done");

    let admin = stranger.bearer(answer["token"].as_str().unwrap());
    let welcome = answer["welcome_room"].as_str().unwrap();
    let room = admin.get(&format!("/rooms/{welcome}")).await.expect(200);
    assert_eq!((&room["title"], &room["kind"]), (&json!("欢迎使用 Weft"), &json!("doc")));
    assert_eq!(room["right"], "manage");
    assert_eq!(admin.get(&format!("/rooms/{welcome}/text")).await.status, 200);
}

#[tokio::test]
async fn a_wrong_secret_makes_nobody() {
    let server = Server::open().await;
    let stranger = server.stranger();
    stranger.post("/auth/setup", form("guess")).await.refused(410, "link_expired");
    // Nor does it help to be first to register.
    let first = server.person("first").await;
    assert_eq!(first.get("/auth/me").await.expect(200)["user"]["admin"], false);
    assert_eq!(stranger.get("/auth/setup").await.expect(200)["needed"], true);
    server.set_up().await;
}

#[tokio::test]
async fn a_restart_puts_the_old_link_out_of_use() {
    let server = Server::with(|_| ()).await;
    let old = server.setup_secret().unwrap();
    let server = server.restart(|_| ()).await;
    server.stranger().post("/auth/setup", form(&old)).await.refused(410, "link_expired");
    server.set_up().await;
    let server = server.restart(|_| ()).await;
    assert_eq!(server.setup_secret(), None);
}

#[tokio::test]
async fn the_link_lasts_a_day() {
    let server = Server::with(|_| ()).await;
    server.clock.advance(DAY);
    let secret = server.setup_secret().unwrap();
    server.stranger().post("/auth/setup", form(&secret)).await.refused(410, "link_expired");
}

#[tokio::test]
async fn a_typing_error_does_not_use_the_link_up() {
    let server = Server::with(|_| ()).await;
    let mut short = form(&server.setup_secret().unwrap());
    short["password"] = json!("short");
    let params = server.stranger().post("/auth/setup", short).await.refused(400, "bad_request");
    assert_eq!(params, json!({"field": "password", "reason": "too_short"}));
    server.set_up().await;
}

#[tokio::test]
async fn the_command_line_makes_an_administrator_too() {
    let server = Server::with(|_| ()).await;
    let data = server.dir.path().join("data");
    let form = |name: &str| weft_server::AdminForm {
        username: name.to_owned(),
        email: None,
        password: PASSWORD.to_owned(),
    };
    let busy = weft_server::create_admin(&data, form("root")).await;
    assert!(matches!(busy, Err(weft_server::AdminError::DataDir(_))), "{busy:?}");
    server.running.stop().await;
    weft_server::create_admin(&data, form("root")).await.unwrap();
    let server = Server::in_dir(server.dir, |_| ()).await;
    assert_eq!(server.setup_secret(), None);
    let login = json!({"username": "root", "password": PASSWORD});
    let answer = server.stranger().post("/auth/login", login).await.expect(200);
    assert_eq!(answer["user"]["admin"], true);
}
