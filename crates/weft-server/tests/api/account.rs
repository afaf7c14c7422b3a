//! What people do with their own account: sign-ins, password, profile.

use serde_json::{Value, json};

use crate::{
    support::{Caller, DAY, MINUTE, PASSWORD, Server, logged},
    wire::typed,
    yjs::Client,
};

const NEW_PASSWORD: &str = "battery staple";

/// A further sign-in of somebody, from a program that calls itself `agent`.
async fn sign_in(server: &Server, username: &str, password: &str, agent: &str) -> Caller {
    let login = json!({"username": username, "password": password});
    let caller = server.stranger().header("user-agent", agent);
    let answer = caller.post("/auth/login", login).await.expect(200);
    caller.bearer(answer["token"].as_str().unwrap())
}

async fn sign_ins(caller: &Caller) -> Vec<Value> {
    let answer = caller.get("/auth/sign-ins").await.expect(200);
    answer["sign_ins"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sign_ins_are_listed_without_their_tokens() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let made_at = server.clock.now();
    server.clock.advance(DAY);
    let phone = sign_in(&server, "lin", PASSWORD, "Phone/1").await;
    server.person("bo").await;
    let listed = sign_ins(&lin).await;
    assert_eq!(listed.len(), 2);
    // The older one has been used just now, to ask.
    let of = |agent: &str| listed.iter().find(|one| one["user_agent"] == agent).unwrap();
    let now = server.clock.now();
    let id = &of("Phone/1")["id"];
    let expected = json!({
        "id": id, "created_at": now, "used_at": now, "user_agent": "Phone/1", "current": false,
    });
    assert_eq!(of("Phone/1"), &expected);
    let mine = listed.iter().find(|one| one["current"] == true).unwrap();
    assert_eq!((&mine["created_at"], &mine["used_at"]), (&json!(made_at), &json!(now)));
    assert_ne!(&mine["id"], id);
    // Nothing in it signs anybody in.
    let id = id.as_str().unwrap();
    server.stranger().bearer(id).get("/auth/me").await.refused(401, "not_signed_in");
    let token = phone.headers["authorization"].to_str().unwrap();
    assert!(!json!(listed).to_string().contains(token.trim_start_matches("Bearer ")));
}

#[tokio::test]
async fn ending_a_sign_in_closes_its_sockets_and_those_of_its_guests() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("Plan").await;
    let phone = sign_in(&server, "lin", PASSWORD, "Phone/1").await;
    let form = json!({"room": room, "right": "edit"});
    let minted = phone.post("/room-tokens", form).await.expect(201);
    let guest = server.stranger().bearer(minted["token"].as_str().unwrap());
    let (mut mine, mut theirs) = (lin.socket().await, phone.socket().await);
    mine.attach(&room).await;
    theirs.attach(&room).await;
    let mut yjs = Client::in_step(&guest, &room).await;

    let id = sign_ins(&phone).await.into_iter().find(|one| one["current"] == true).unwrap();
    let path = format!("/auth/sign-ins/{}", id["id"].as_str().unwrap());
    bo.delete(&path).await.refused(404, "not_found");
    lin.delete("/auth/sign-ins/x").await.refused(404, "not_found");
    assert_eq!(lin.delete(&path).await.status, 204);
    lin.delete(&path).await.refused(404, "not_found");
    assert_eq!(theirs.closed().await, (4401, "signed_out".to_owned()));
    assert_eq!(yjs.closed().await, 4401);
    phone.get("/auth/me").await.refused(401, "not_signed_in");
    guest.get(&format!("/rooms/{room}")).await.refused(401, "not_signed_in");
    let bytes = room.parse::<weft_core::RoomId>().unwrap();
    let bytes = bytes::Bytes::copy_from_slice(bytes.as_bytes());
    assert_eq!(mine.saved(&bytes, 1, typed(1, "still here")).await, 2);

    // All others at once, and nobody else's.
    let tablet = sign_in(&server, "lin", PASSWORD, "Tablet/1").await;
    let mut theirs = tablet.socket().await;
    assert_eq!(lin.delete("/auth/sign-ins").await.status, 204);
    assert_eq!(theirs.closed().await, (4401, "signed_out".to_owned()));
    tablet.get("/auth/me").await.refused(401, "not_signed_in");
    assert_eq!(sign_ins(&lin).await.len(), 1);
    assert_eq!(mine.saved(&bytes, 2, typed(2, "!")).await, 3);
    bo.get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_every_other_sign_in() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let phone = sign_in(&server, "lin", PASSWORD, "Phone/1").await;
    let program = json!({"name": "Nightly", "scopes": ["read"]});
    let program = lin.post("/tokens", program).await.expect(201);
    let program = server.stranger().bearer(program["token"].as_str().unwrap());
    let mut theirs = phone.socket().await;
    theirs.attach(&room).await;

    let change = |password: &str, new: &str| json!({"password": password, "new_password": new});
    let wrong = change("not my password", NEW_PASSWORD);
    phone.post("/auth/password", wrong).await.refused(401, "wrong_credentials");
    for (form, field, reason) in [
        (json!({"new_password": NEW_PASSWORD}), "password", "missing"),
        (json!({"password": PASSWORD}), "new_password", "missing"),
        (change(PASSWORD, "1234567"), "new_password", "too_short"),
    ] {
        let refused = lin.post("/auth/password", form).await.refused(400, "bad_request");
        assert_eq!(refused, json!({"field": field, "reason": reason}));
    }
    let answer = lin.post("/auth/password", change(PASSWORD, NEW_PASSWORD)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(theirs.closed().await, (4401, "signed_out".to_owned()));
    phone.get("/auth/me").await.refused(401, "not_signed_in");
    lin.get("/auth/me").await.expect(200);
    program.get("/rooms").await.expect(200);
    let old = json!({"username": "lin", "password": PASSWORD});
    server.stranger().post("/auth/login", old).await.refused(401, "wrong_credentials");
    sign_in(&server, "lin", NEW_PASSWORD, "Phone/1").await;
    let text = logged();
    assert!(!text.contains(NEW_PASSWORD) && !text.contains("not my password"));
}

#[tokio::test]
async fn passwords_cannot_be_tried_out_by_changing_them() {
    let server =
        Server::with(Server::limits(|limits| limits.sign_in_attempts_per_minute = 2)).await;
    let lin = server.person("lin").await;
    let wrong = json!({"password": "a guess", "new_password": NEW_PASSWORD});
    for _ in 0..2 {
        lin.post("/auth/password", wrong.clone()).await.refused(401, "wrong_credentials");
    }
    lin.post("/auth/password", wrong).await.refused(429, "too_many_attempts");
    // One bucket with signing in.
    let login = json!({"username": "LIN", "password": PASSWORD});
    server.stranger().post("/auth/login", login.clone()).await.refused(429, "too_many_attempts");
    server.clock.advance(MINUTE);
    server.stranger().post("/auth/login", login).await.expect(200);
}

#[tokio::test]
async fn people_say_who_they_are_and_where() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let before = lin.get("/auth/me").await.expect(200)["user"].clone();
    assert_eq!(
        (&before["time_zone"], &before["phone"], &before["language"]),
        (&Value::Null, &Value::Null, &json!("en"))
    );
    let form = json!({
        "name": " 林月 ", "email": "lin@example.net", "language": "zh-Hans",
        "time_zone": "asia/shanghai", "phone": "+86 10 1234", "password": PASSWORD,
    });
    let changed = lin.patch("/auth/me", form).await.expect(200)["user"].clone();
    let expected = json!({
        "id": before["id"], "username": "lin", "name": "林月", "email": "lin@example.net",
        "email_verified": false, "phone": "+86 10 1234", "language": "zh", "time_zone": "Asia/Shanghai", "second_factor": false,
        "has_password": true, "digest": "daily", "admin": false,
    });
    assert_eq!(changed, expected);
    assert_eq!(lin.get("/auth/me").await.expect(200)["user"], expected);
    // What is absent stays, what is empty goes; a name is never nothing.
    let form =
        json!({"name": "", "email": "", "time_zone": "", "phone": null, "password": PASSWORD});
    let changed = lin.patch("/auth/me", form).await.expect(200)["user"].clone();
    assert_eq!(
        (&changed["name"], &changed["email"], &changed["time_zone"], &changed["phone"]),
        (&json!("lin"), &Value::Null, &Value::Null, &json!("+86 10 1234"))
    );
    let with = |email: &str| json!({"email": email, "password": PASSWORD});
    lin.patch("/auth/me", with("lin@example.net")).await.expect(200);
    bo.patch("/auth/me", with("LIN@example.net")).await.refused(409, "email_taken");
    for (field, value, reason) in [
        ("name", "x".repeat(65), "too_long"),
        ("email", "nowhere".to_owned(), "malformed"),
        ("time_zone", "Mars/Olympus".to_owned(), "unknown"),
        ("phone", "call me".to_owned(), "malformed"),
    ] {
        let refused = lin.patch("/auth/me", json!({field: value})).await;
        let params = refused.refused(400, "bad_request");
        assert_eq!(params, json!({"field": field, "reason": reason}));
    }
}

#[tokio::test]
async fn others_see_a_new_name_from_the_next_attach_on() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let (room, other) = (lin.document("Plan").await, lin.document("Other").await);
    for room in [&room, &other] {
        let grant = json!({"username": "bo", "right": "read"});
        lin.post(&format!("/rooms/{room}/grants"), grant).await.expect(200);
    }
    let mut socket = lin.socket().await;
    socket.attach(&room).await;
    lin.patch("/auth/me", json!({"name": "林月"})).await.expect(200);
    socket.attach(&other).await;
    let seen = async |room: &str| {
        let attached = bo.socket().await.attach(room).await;
        let lin = attached.peers.iter().find(|peer| peer.name != "bo").unwrap();
        lin.name.clone()
    };
    assert_eq!(seen(&other).await, "林月", "over the socket that was open before");
    assert_eq!(seen(&room).await, "lin", "nobody's name changes under people's eyes");
    assert_eq!(bo.get(&format!("/rooms/{room}")).await.expect(200)["owner"]["name"], "林月");
}

/// Someone's authenticator app.
pub struct Device(totp_rs::Totp);

impl Device {
    fn scans(uri: &Value) -> Self {
        Self(totp_rs::Totp::from_url(uri.as_str().unwrap()).unwrap())
    }

    fn code(&self, server: &Server) -> String {
        self.0.generate(server.clock.now() / 1000).to_string()
    }
}

/// Turns somebody's second factor on; their device, and their recovery codes.
pub async fn turn_on(server: &Server, caller: &Caller) -> (Device, Vec<String>) {
    let begun = caller.post("/auth/second-factor", json!({"password": PASSWORD})).await.expect(200);
    let device = Device::scans(&begun["uri"]);
    let confirm = json!({"code": device.code(server)});
    let on = caller.post("/auth/second-factor/confirm", confirm).await.expect(200);
    let codes = on["recovery_codes"].as_array().unwrap().iter();
    (device, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn signing_in_takes_a_code_once_the_second_factor_is_on() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let stranger = server.stranger();
    let wrong = json!({"password": "a guess"});
    lin.post("/auth/second-factor", wrong).await.refused(401, "wrong_credentials");
    let begun = lin.post("/auth/second-factor", json!({"password": PASSWORD})).await.expect(200);
    // What was not confirmed is not asked for, and what was replaced is not confirmed.
    let login = |code: Value| json!({"username": "lin", "password": PASSWORD, "code": code});
    stranger.post("/auth/login", login(Value::Null)).await.expect(200);
    let (device, codes) = turn_on(&server, &lin).await;
    assert_ne!(Device::scans(&begun["uri"]).code(&server), device.code(&server));
    assert_eq!(codes.len(), 10);
    assert_eq!(lin.get("/auth/me").await.expect(200)["user"]["second_factor"], true);
    let again = json!({"password": PASSWORD});
    lin.post("/auth/second-factor", again).await.refused(409, "second_factor_on");

    let needed = stranger.post("/auth/login", login(Value::Null)).await;
    needed.refused(401, "second_factor_needed");
    stranger.post("/auth/login", login(json!(" "))).await.refused(401, "second_factor_needed");
    // The code that turned it on was one use of it.
    let used = device.code(&server);
    stranger.post("/auth/login", login(json!(used))).await.refused(401, "wrong_code");
    server.clock.advance(MINUTE);
    let code = device.code(&server);
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let answer = stranger.post("/auth/login", login(json!(spaced))).await.expect(200);
    stranger.clone().bearer(answer["token"].as_str().unwrap()).get("/auth/me").await.expect(200);
    stranger.post("/auth/login", login(json!(code))).await.refused(401, "wrong_code");
    // A code is worth nothing without the password, and says nothing about it.
    server.clock.advance(MINUTE);
    let mut form = login(json!(device.code(&server)));
    form["password"] = json!("a guess");
    stranger.post("/auth/login", form).await.refused(401, "wrong_credentials");
    stranger.post("/auth/login", login(json!(device.code(&server)))).await.expect(200);

    // A recovery code stands in for one, once.
    let code = codes[3].to_uppercase().replace('-', " ");
    stranger.post("/auth/login", login(json!(code))).await.expect(200);
    stranger.post("/auth/login", login(json!(codes[3]))).await.refused(401, "wrong_code");

    let off = |password: &str, code: &str| json!({"password": password, "code": code});
    let wrong = lin.post("/auth/second-factor/off", off("a guess", &codes[4])).await;
    wrong.refused(401, "wrong_credentials");
    let wrong = lin.post("/auth/second-factor/off", off(PASSWORD, "000")).await;
    wrong.refused(401, "wrong_code");
    let gone = lin.post("/auth/second-factor/off", off(PASSWORD, &codes[4])).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    stranger.post("/auth/login", login(Value::Null)).await.expect(200);
    let gone = lin.post("/auth/second-factor/off", off(PASSWORD, &codes[5])).await;
    gone.refused(404, "not_found");
    let text = logged();
    let secret = begun["secret"].as_str().unwrap();
    assert!(!text.contains(secret) && codes.iter().all(|code| !text.contains(code)));
}

#[tokio::test]
async fn codes_cannot_be_tried_out() {
    let server = Server::with(Server::limits(|limits| {
        limits.code_attempts_per_hour = 3;
        limits.sign_in_attempts_per_minute = 1;
    }))
    .await;
    let lin = server.person("lin").await;
    let (device, codes) = turn_on(&server, &lin).await;
    server.clock.advance(MINUTE);
    let login = |code: &str| json!({"username": "lin", "password": PASSWORD, "code": code});
    // Those that are right do not count.
    for code in &codes[..4] {
        server.stranger().post("/auth/login", login(code)).await.expect(200);
    }
    for _ in 0..3 {
        let wrong = server.stranger().post("/auth/login", login("none")).await;
        wrong.refused(401, "wrong_code");
    }
    for code in [device.code(&server), codes[5].clone()] {
        let refused = server.stranger().post("/auth/login", login(&code)).await;
        assert_eq!(refused.refused(429, "too_many_attempts"), json!({"retry_ms": 20 * MINUTE}));
    }
    lin.get("/auth/me").await.expect(200);
    server.clock.advance(20 * MINUTE);
    server.stranger().post("/auth/login", login(&device.code(&server))).await.expect(200);
}

#[tokio::test]
async fn the_command_line_takes_a_second_factor_away() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    turn_on(&server, &lin).await;
    let folder = server.dir.path().join("data");
    let busy = weft_server::remove_second_factor(&folder, "lin").await;
    assert!(matches!(busy, Err(weft_server::AdminError::DataDir(_))), "{busy:?}");
    server.running.stop().await;
    let remove = async |name: &str| weft_server::remove_second_factor(&folder, name).await;
    assert!(remove("LIN").await.unwrap());
    assert!(!remove("lin").await.unwrap());
    assert!(matches!(remove("bo").await, Err(weft_server::AdminError::Nobody)));
    let server = Server::in_dir(server.dir, |_| ()).await;
    let login = json!({"username": "lin", "password": PASSWORD});
    server.stranger().post("/auth/login", login).await.expect(200);
}
