//! Pages of the app, and what those who run the server look at.

use reqwest::Method;

use crate::support::Server;

#[tokio::test]
async fn every_path_that_no_protocol_owns_is_the_app() {
    let server = Server::open().await;
    let anyone = server.stranger();
    for path in ["//", "//o/abc", "//setup", "//invite", "//docs", "//apiary", "//index.html"] {
        let page = anyone.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(["no-cache", "no-store"].contains(&page.header("cache-control")));
        assert!(page.text.contains("Weft"), "{}", page.text);
    }
    for path in ["//yjs", "//hocuspocus/x", "//d/x", "//doc/x", "//signaling", "//assets/none.js"] {
        anyone.get(path).await.refused(404, "not_found");
    }
    anyone.call(Method::POST, "//o/abc", None).await.refused(405, "bad_method");
}

#[tokio::test]
async fn every_answer_keeps_browsers_careful() {
    let server = Server::open().await;
    for path in ["//", "/auth/me", "//healthz", "//api/nothing", "//assets/none.js"] {
        let answer = server.stranger().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'; script-src 'self'; "), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-frame-options"), "DENY");
    }
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let server = Server::open().await;
    let anyone = server.stranger();
    assert_eq!(anyone.get("//healthz").await.status, 200);
    assert_eq!(anyone.get("//readyz").await.status, 200);
    let figures = anyone.get("//metrics").await;
    assert_eq!(figures.status, 200);
    assert!(figures.text.contains("weft_http_requests_total"), "{}", figures.text);
    let proxied = anyone.clone().header("x-forwarded-for", "192.0.2.1");
    assert_eq!(proxied.get("//metrics").await.status, 404);
    server.running.state().set_ready(false);
    assert_eq!(anyone.get("//readyz").await.status, 503);
    assert_eq!(anyone.get("//healthz").await.status, 200);
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_its_folder_free() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("kept").await;
    let address = server.running.address();
    let second =
        weft_server::Config::new(([127, 0, 0, 1], 0).into(), server.dir.path().join("data"));
    let busy = weft_server::serve(second).await.err();
    assert!(matches!(busy, Some(weft_server::StartError::DataDir(_))), "{busy:?}");
    let server = server.restart(|_| ()).await;
    assert!(lin.http.get(format!("http://{address}/healthz")).send().await.is_err());
    let token = lin.headers["authorization"].to_str().unwrap().to_owned();
    let lin = server.stranger().header("authorization", &token);
    assert_eq!(lin.get(&format!("/rooms/{room}")).await.expect(200)["title"], "kept");
}
