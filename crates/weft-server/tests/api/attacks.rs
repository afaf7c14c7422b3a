//! What an attacker would try from outside: other sites' pages, cookies given before sign-in, guesses, tricks in paths
//! and headers, too much of everything, and answers without their guard.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    document::{Operation, document, operations},
    support::{Caller, PASSWORD, Server, logged},
    wire::typed,
};

/// The token of somebody's sign-in.
fn token_of(caller: &Caller) -> String {
    caller.headers["authorization"].to_str().unwrap().replace("Bearer ", "")
}

/// Sends bytes as they are; the whole answer.
async fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // An error: the server closed while there was more to read.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get_raw(server: &Server, target: &str, headers: &str) -> String {
    let request =
        format!("GET {target} HTTP/1.1\r\nhost: weft\r\nconnection: close\r\n{headers}\r\n");
    raw(server, request.as_bytes()).await
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn another_sites_forms_change_nothing() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let url = format!("{}/api/v1/rooms/{room}", lin.base);
    for origin in ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", ""] {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json",
        ] {
            for (method, at, body) in [
                (Method::POST, "/grants", r#"{"username":"bo","right":"edit"}"#),
                (Method::PATCH, "", r#"{"title":"taken"}"#),
                (Method::DELETE, "", ""),
                (Method::POST, "/updates", "\0\0"),
            ] {
                let mut request = lin.http.request(method.clone(), format!("{url}{at}"));
                request = request.header("cookie", format!("weft_session={}", token_of(&lin)));
                request = request.header("content-type", kind).body(body);
                if !origin.is_empty() {
                    request = request.header("origin", origin);
                }
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 403, "{origin} {kind} {method} {at}");
                assert!(answer.text().await.unwrap().contains("bad_origin"));
            }
        }
    }
    assert_eq!(lin.get(&format!("/rooms/{room}")).await.expect(200)["title"], "Plan");
}

#[tokio::test]
async fn a_cookie_opens_no_socket_for_another_sites_page() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    lin.merge(&room, typed(5, "between us")).await.expect(200);
    let upgrade = "upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let cookie = format!("cookie: weft_session={}\r\n", token_of(&lin));
    for door in ["/ws", &format!("/yjs/{room}"), &format!("/d/{room}/ws/{room}"), "/hocuspocus"] {
        for origin in ["origin: https://evil.example\r\n", "origin: null\r\n", ""] {
            let request = format!(
                "GET {door} HTTP/1.1\r\nhost: weft\r\nconnection: upgrade\r\n{upgrade}{cookie}{origin}\r\n"
            );
            // Hocuspocus' sockets say in words who comes, and know no cookie: an awareness question of nobody.
            let ask = [&[0x82, 0x80 | 28, 0, 0, 0, 0, 26][..], room.as_bytes(), &[3]].concat();
            let close = [0x88, 0x80, 0, 0, 0, 0];
            let answer = raw(&server, &[request.as_bytes(), &ask, &close].concat()).await;
            assert!(!answer.contains("between us"), "{door} {origin}: {answer}");
            match door {
                "/ws" => assert_eq!(status_of(&answer), "403", "{origin}: {answer}"),
                "/hocuspocus" => assert!(!answer.contains("Authenticated"), "{answer}"),
                _ => assert!(answer.contains("not_signed_in"), "{door} {origin}: {answer}"),
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_given_before_the_sign_in_is_not_kept() {
    let server = Server::open().await;
    server.person("lin").await;
    let planted = "A".repeat(43);
    let victim = server.stranger().cookie(&planted);
    let form = json!({"username": "lin", "password": PASSWORD});
    let answer = victim.post("/auth/login", form).await;
    let token = answer.expect(200)["token"].as_str().unwrap().to_owned();
    assert_ne!(token, planted);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with(&format!("weft_session={token};")), "{cookie}");
    server.stranger().cookie(&planted).get("/auth/me").await.refused(401, "not_signed_in");
    server.stranger().cookie(&token).get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let server = Server::open().await;
    server.person("lin").await;
    let mut seen = Vec::new();
    for (username, password) in [
        ("lin", "wrong horse"),
        ("nobody", "wrong horse"),
        ("", "wrong horse"),
        ("lin\0", "wrong horse"),
        (&*"x".repeat(10_000), "wrong horse"),
    ] {
        let before = server.running.state().passwords_checked();
        let form = json!({"username": username, "password": password});
        let answer = server.stranger().post("/auth/login", form).await;
        let work = server.running.state().passwords_checked() - before;
        seen.push((answer.status, answer.text, answer.headers.len(), work));
    }
    assert_eq!(seen[0].0, 401);
    assert_eq!(seen[0].3, 1, "a password is checked, also if it is nobody's");
    assert!(seen.iter().all(|told| *told == seen[0]), "{seen:?}");
    // A password that cannot be one is not checked for anybody.
    let long = "x".repeat(257);
    for username in ["lin", "nobody"] {
        let before = server.running.state().passwords_checked();
        let form = json!({"username": username, "password": long});
        server.stranger().post("/auth/login", form).await.refused(401, "wrong_credentials");
        assert_eq!(server.running.state().passwords_checked(), before, "{username}");
    }
}

/// What stands where a name should.
const TRICKS: [&str; 14] = [
    "..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fadmin",
    "..%2fadmin",
    "..%5c..%5c",
    "%00",
    "a%00b",
    "%ff",
    "%E2%80%AE",
    "'%20or%201=1--",
    "%3Cscript%3E",
    "a%0d%0aset-cookie:%20x=y",
    "00000000000000000000000001%20",
    "-1",
];

#[tokio::test]
async fn tricks_in_names_find_nothing() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let authorization = format!("authorization: Bearer {}\r\n", token_of(&lin));
    let document = document(&lin).await;
    let mut tried = 0;
    // Asking to be let in is answered alike whatever the name.
    let named = |call: &&Operation<'_>| {
        let tells_nothing = call.path.ends_with("/access-requests") && call.method == "post";
        call.path.contains('{') && !tells_nothing
    };
    for operation in operations(document).iter().filter(named) {
        let method = operation.method.to_uppercase();
        let body = if ["GET", "DELETE"].contains(&&*method) { "" } else { "{}" };
        let long = "x".repeat(5000);
        for trick in TRICKS.into_iter().chain([&*long]) {
            let parts = operation.path.split('/').map(|part| match part {
                // The thing itself is there, what is below it is not.
                "{room}" if operation.path.matches('{').count() > 1 => &room,
                part if part.starts_with('{') => trick,
                part => part,
            });
            let target = parts.collect::<Vec<_>>().join("/");
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: weft\r\nconnection: close\r\n{authorization}\
                 content-length: {}\r\n\r\n{body}",
                body.len(),
            );
            let answer = raw(&server, request.as_bytes()).await;
            let status = status_of(&answer);
            assert!(["400", "404", "405", "403"].contains(&status), "{method} {target}: {answer}");
            assert!(!answer.contains("set-cookie"), "{method} {target}: {answer}");
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
    for trick in TRICKS {
        let form = json!({"username": trick, "password": trick, "code": trick});
        server.stranger().post("/auth/login", form).await;
        for form in [
            json!({"kind": "doc", "title": "x", "space": trick}),
            json!({"kind": "doc", "title": "x", "folder": trick}),
            json!({"kind": trick, "title": "x"}),
        ] {
            let status = lin.post("/rooms", form).await.status;
            assert!([400, 404].contains(&status), "{trick}: {status}");
        }
    }
}

#[tokio::test]
async fn tricks_in_paths_of_files_find_the_app_alone() {
    let server = Server::open().await;
    for target in [
        "/../../../../etc/passwd",
        "/assets/../../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/assets\\..\\..\\etc\\passwd",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/./index.html%00.js",
        "/index.html%00",
        "/api/docs/../../etc/passwd",
        "/api/docs/%2e%2e/%2e%2e/etc/passwd",
        "/api/docs/..%2f..%2fCargo.toml",
        "/api/docs//etc/passwd",
        "/assets/",
        "/assets",
        "/api/v1/../../metrics",
        "/.git/config",
    ] {
        let answer = get_raw(&server, target, "").await;
        assert!(
            ["200", "303", "307", "400", "404"].contains(&status_of(&answer)),
            "{target}: {answer}"
        );
        for secret in ["root:", "[package]", "[core]", "weft_http_requests_total"] {
            assert!(!answer.contains(secret), "{target}: {answer}");
        }
        if status_of(&answer) == "200" {
            let is_page =
                answer.contains("<title>Weft") || answer.to_lowercase().contains("<!doctype html");
            assert!(is_page, "{target}: {answer}");
        }
    }
}

#[tokio::test]
async fn nothing_that_is_sent_becomes_a_header() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    for title in ["a\r\nset-cookie: x=y", "a\nb", "a\u{2028}b", "a\u{202e}b", "a\0b"] {
        let refused = lin.patch(&format!("/rooms/{room}"), json!({"title": title})).await;
        assert_eq!(refused.refused(400, "bad_request")["reason"], "malformed", "{title:?}");
    }
    // Links name the host that was asked, if that can be one.
    let authorization = format!("authorization: Bearer {}\r\n", token_of(&lin));
    for host in ["evil.example/path", "a\"><script>", "a b", "user@evil", "a#b", "a?b", "a,b"] {
        let body = r#"{"right":"read"}"#;
        let request = format!(
            "POST /api/v1/rooms/{room}/invites HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             {authorization}content-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let answer = raw(&server, request.as_bytes()).await;
        assert!(["201", "400"].contains(&status_of(&answer)), "{host}: {answer}");
        assert!(!answer.contains(host), "{host}: {answer}");
    }
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let server = Server::with(Server::limits(|limits| limits.json_body_bytes_max = 10_000)).await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let document = document(&lin).await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(20_000));
    let mut tried = 0;
    for operation in operations(document) {
        if operation.call["requestBody"]["content"]["application/json"].is_null() {
            continue;
        }
        let (_, path) = operation.path.split_once("/api/v1").unwrap();
        let path = path.replace("{room}", &room);
        let method: Method = operation.method.to_uppercase().parse().unwrap();
        let answer = lin.send(method, &path, Some(large.clone())).await;
        // Who asks for what is not there, or may not, is told that first, or this.
        assert!([403, 404, 413].contains(&answer.status), "{}: {}", operation.id(), answer.text);
        tried += usize::from(answer.status == 413);
    }
    assert!(tried > 20, "{tried}");
    let many: String = (0..5000).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(200_000));
    for headers in [many, long] {
        let answer = get_raw(&server, "/api/v1/auth/me", &headers).await;
        assert!(["", "431", "400"].contains(&status_of(&answer)), "{answer}");
    }
    let answer = get_raw(&server, &format!("/{}", "x".repeat(200_000)), "").await;
    assert!(["", "414", "431", "400"].contains(&status_of(&answer)), "{answer}");
    lin.get("/auth/me").await.expect(200);
}

#[tokio::test]
async fn no_answer_repeats_a_secret_that_it_was_sent() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let secret = lin.invite(&room, json!({"right": "read"})).await;
    let made = lin.post("/tokens", json!({"name": "x", "scopes": ["read"]})).await.expect(201);
    let form = json!({"room": room, "right": "read"});
    let minted = lin.post("/room-tokens", form).await.expect(201);
    let secrets = [
        token_of(&lin),
        secret,
        made["token"].as_str().unwrap().to_owned(),
        minted["token"].as_str().unwrap().to_owned(),
        PASSWORD.to_owned(),
    ];
    for secret in &secrets {
        // Where it does not belong.
        let misplaced = json!({
            "secret": secret, "username": secret, "password": secret, "new_password": secret,
            "code": secret, "name": secret, "email": secret, "key": secret, "kind": secret,
            "right": secret, "space": secret, "scopes": [secret], "invite": secret,
        });
        for path in [
            "/auth/login",
            "/auth/register",
            "/auth/setup",
            "/auth/password",
            "/auth/second-factor",
            "/auth/second-factor/off",
            "/tokens",
            "/room-tokens",
            "/invites/look",
            "/rooms",
            "/folders",
        ] {
            for caller in [&lin, &server.stranger()] {
                let answer = caller.post(path, misplaced.clone()).await;
                assert!(!answer.text.contains(secret.as_str()), "{path}: {}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn every_kind_of_answer_has_its_guard() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("Plan").await;
    let guard = [
        (
            "content-security-policy",
            "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
             img-src 'self' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("strict-transport-security", ""),
        ("access-control-allow-origin", ""),
        ("server", ""),
    ];
    let large = "x".repeat(2 << 20);
    let none = None::<String>;
    for (method, path, body, status) in [
        ("GET", "//", none.clone(), 200),
        ("GET", "//o/abc", none.clone(), 200),
        ("GET", "//assets/none.js", none.clone(), 404),
        ("POST", "//o/abc", none.clone(), 405),
        ("GET", "//healthz", none.clone(), 200),
        ("GET", "//readyz", none.clone(), 200),
        ("GET", "//metrics", none.clone(), 200),
        ("GET", "//api/openapi.json", none.clone(), 200),
        ("GET", "//api/docs/", none.clone(), 200),
        ("GET", "//api/docs/swagger-ui-bundle.js", none.clone(), 200),
        ("GET", "//api/docs/none.js", none.clone(), 404),
        ("GET", "//api/nothing", none.clone(), 404),
        ("GET", "/auth/me", none.clone(), 200),
        ("PUT", "/auth/me", none.clone(), 405),
        ("GET", &format!("/rooms/{room}/text"), none.clone(), 200),
        ("GET", &format!("/rooms/{room}/state"), none.clone(), 200),
        ("PUT", &format!("/rooms/{room}/star"), none.clone(), 204),
        ("POST", "/rooms", Some("{".to_owned()), 400),
        ("POST", "/rooms", Some(large), 413),
        ("GET", "//ws", none.clone(), 400),
        ("GET", &format!("//d/{room}/as-update"), none.clone(), 200),
    ] {
        let answer = lin.send(method.parse().unwrap(), path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        for (name, value) in guard {
            assert_eq!(answer.header(name), value, "{method} {path}: {name}");
        }
        let of_the_api = path.starts_with("//api/v1") || !path.starts_with("//");
        if of_the_api {
            assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
        }
    }
    let https = Server::with(|config| {
        config.public_url = Some("https://weft.example".parse().unwrap());
    })
    .await;
    let answer = https.stranger().get("//healthz").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn secrets_of_every_kind_are_in_no_log_and_no_address() {
    let server = Server::open().await;
    let setup = server.setup_secret().unwrap();
    let (admin, _) = server.set_up().await;
    let password = "a password of one's own";
    let form = json!({"username": "lin", "password": password, "email": "lin@example.org"});
    let answer = server.stranger().post("/auth/register", form).await.expect(200);
    let sign_in = answer["token"].as_str().unwrap().to_owned();
    let lin = server.stranger().bearer(&sign_in);
    let room = lin.document("Plan").await;

    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let form = json!({"name": "x", "scopes": ["read", "room-tokens"]});
    let access = text(&lin.post("/tokens", form).await.expect(201)["token"]);
    let form = json!({"room": room, "right": "edit"});
    let guest = text(&lin.post("/room-tokens", form).await.expect(201)["token"]);
    let invites = format!("/rooms/{room}/invites");
    let invite = lin.post(&invites, json!({"right": "read"})).await.expect(201);
    let joining = admin.post("/admin/invites", json!({})).await.expect(201);
    let factor = lin.post("/auth/second-factor", json!({"password": password})).await.expect(200);
    let factor = text(&factor["secret"]);

    // Each is used where it belongs, in URLs too, and where it does not.
    for made in [&invite, &joining] {
        let (url, secret) = (text(&made["url"]), text(&made["secret"]));
        assert!(
            url.ends_with(&format!("/invite#{secret}")),
            "{url}: browsers keep it to themselves"
        );
        admin.post("/invites/look", json!({"secret": secret})).await.expect(200);
        admin.post("/invites/accept", json!({"secret": secret})).await.expect(200);
    }
    let secrets = [
        setup,
        password.to_owned(),
        sign_in,
        access,
        guest,
        text(&invite["secret"]),
        text(&joining["secret"]),
        factor,
    ];
    for secret in &secrets {
        let query = secret.replace(' ', "+");
        for path in [
            format!("//ws?token={query}"),
            format!("//yjs/{room}?token={query}"),
            format!("//d/{room}/ws/{room}?token={query}"),
            format!("/rooms/{room}/state?state_vector={query}"),
            format!("/rooms?which={query}"),
            format!("//?token={query}"),
        ] {
            let answer = server.stranger().header("referer", &format!("http://x/?{query}"));
            let answer = answer.get(&path).await;
            assert!(!answer.text.contains(&query), "{path}: {}", answer.text);
        }
        let stranger = server.stranger();
        for caller in [stranger.clone().bearer(secret), stranger.clone().cookie(&query)] {
            caller.get("/auth/me").await;
            // Whatever comes of it.
            let _ = caller.knock("").await;
        }
        let form = json!({"username": "lin", "password": secret, "code": secret});
        stranger.post("/auth/login", form).await;
    }
    server.running.stop().await;
    let log = logged();
    assert!(log.contains("request"), "the finest level is on");
    for (kind, secret) in secrets.iter().enumerate() {
        assert!(!log.contains(secret.as_str()), "the secret of kind {kind} is in the log");
    }
}
